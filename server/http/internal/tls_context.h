// The TLS context of new connections, from the files that the operator names. Files that are renewed while the server runs
// are read again.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "common/error.h"
#include "server/http/server.h"

namespace hansa::http::internal {

// One thread.
class TlsContext {
 public:
  // Fails with `usage` if the files are no certificate and its key.
  [[nodiscard]] static Result<TlsContext> open(TlsFiles files);

  // For a new connection. If the files have changed since the call before and can be used, the context is made of them;
  // otherwise the earlier certificate stays, and `log` is called once for each change. The reference is valid until the
  // next call. A connection that began earlier keeps its certificate.
  [[nodiscard]] boost::asio::ssl::context& current(const std::function<void(const std::string&)>& log);

 private:
  struct FileStamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
  };
  using Stamp = std::array<FileStamp, 2>;
  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  [[nodiscard]] Stamp stamp() const;

  TlsFiles files_;
  std::unique_ptr<boost::asio::ssl::context> context_;
  std::optional<Stamp> read_at_;  // empty: to be read again
};

}  // namespace hansa::http::internal
