// A data file as a stream of bytes, plain or gzipped. Its first bytes decide which, not its name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"

struct gzFile_s;

namespace hansa::learning::internal {

// One thread at a time. Errors have code data and name the file.
class ByteStream {
 public:
  // `hint` is the hint of the error if there is no such file.
  [[nodiscard]] static Result<ByteStream> open(const std::filesystem::path& path, std::string hint);

  // Reads up to out.size() bytes. Returns 0 at the end, where the checksum of a gzip file has been verified.
  [[nodiscard]] Result<std::size_t> read_some(std::span<std::uint8_t> out);
  // Fails if the file begins like something other than text in UTF-8, and says what it is. Call it before reading.
  [[nodiscard]] Result<void> require_text();
  // Fills out, or fails and names the part that is truncated.
  [[nodiscard]] Result<void> read(std::span<std::uint8_t> out, std::string_view part);
  [[nodiscard]] tl::unexpected<Error> bad(std::string what, std::string hint = "fetch or copy the file again",
                                          ReasonCode reason = ReasonCode::data_damaged) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit ByteStream(std::filesystem::path path) : path_(std::move(path)) {}

  struct Close {
    void operator()(gzFile_s* file) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<std::uint8_t> first_;  // read by require_text(), and not given yet
};

}  // namespace hansa::learning::internal
