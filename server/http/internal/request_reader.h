// Turns the bytes of a connection into requests: HTTP/1.1 (RFC 9112), its strict part.
//
// What different programs understand differently is refused, because a proxy in front may be one of them: a folded
// header line, a bare CR or LF, more than one Content-Length or Host, any Transfer-Encoding. Pure: no I/O, no clock; one
// thread. Memory: at most header_bytes_max + body_bytes_max + what one feed() brought.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/http/server.h"

namespace hansa::http::internal {

struct RawRequest {
  std::string method, target;
  std::string host;  // empty: the header is missing or empty
  std::optional<std::string> origin, authorization, content_type, fetch_site;
  std::string if_none_match, accept_encoding, forwarded_for;  // joined with ", "
  std::string body;
  bool keep_alive = false;
};

// The request cannot be answered otherwise, and the connection ends after this.
struct Refusal {
  unsigned status = 400;
  std::string code, message;
  std::string hint = {};
  std::string allow = {};  // for the header Allow
  std::uint32_t retry_after_seconds = 0;  // for the header Retry-After; 0: none
};

class RequestReader {
 public:
  explicit RequestReader(const Limits& limits) : limits_(limits) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // Whether the first byte of a request is there.
  [[nodiscard]] bool has_begun() const { return !buffer_.empty(); }
  struct NeedMore {};
  // The next request, of which nothing stays. After a refusal the reader must not be used.
  [[nodiscard]] std::variant<NeedMore, RawRequest, Refusal> next();

 private:
  const Limits& limits_;
  std::string buffer_;
  std::size_t searched_ = 0;  // bytes of the buffer in which there is no end of a header
};

}  // namespace hansa::http::internal
