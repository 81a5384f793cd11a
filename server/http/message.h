// A request and its response, as the server (server.h) and a handler exchange them. Plain values.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hansa::http {

// A request that has passed every check of the server: method, target, Host, Origin, sizes, and the token where one is
// needed.
struct Request {
  std::string method;  // "GET" or "POST"; a HEAD request is handed over as GET, and its body is not sent
  // Percent-decoded and valid UTF-8. Begins with '/', has no empty or dot segment, no control character and no
  // backslash; an encoded slash is refused. It may end with '/'.
  std::string path;
  std::map<std::string, std::string> query;  // percent-decoded; a repeated name is refused
  std::string body;  // of POST: content of type application/json, at most Limits::body_bytes_max
  bool is_authorised = false;  // it carries the right token
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  // In addition to those that the server sends: security headers, Content-Length, Date, Cache-Control. A name that the
  // server sends replaces its value. A line break in a value is a programming mistake and answered with 500.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::filesystem::path> file = {};  // sent in place of the body; 404 if it cannot be opened
  std::shared_ptr<const void> hold = {};  // destroyed when the response is sent, or its connection is gone
};

// {"error": {"code": ..., "message": ..., "hint": ...}}. hint: left out if it is empty.
[[nodiscard]] Response error_response(unsigned status, const std::string& code, const std::string& message,
                                      const std::string& hint = {});

class Handler {
 public:
  virtual ~Handler() = default;
  // Called on the server's worker thread, one call at a time; may read files. An exception is answered with 500.
  [[nodiscard]] virtual Response handle(const Request& request) = 0;
};

}  // namespace hansa::http
