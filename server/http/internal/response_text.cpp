#include "server/http/internal/response_text.h"

#include <algorithm>
#include <map>

namespace hansa::http::internal {
namespace {

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

// Without regard to case, as names of headers are compared.
struct NameOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
  }
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
};

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::optional<std::string> header_text(const ResponseHead& head, UtcSeconds now) {
  std::map<std::string, std::string, NameOrder> fields{
      // Nothing from elsewhere, nothing inline, in no frame.
      {"Content-Security-Policy",
       "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
      {"Cache-Control", head.cache_control},
      {"Date", utc_text(now, "%a, %d %b %Y %H:%M:%S GMT")},
      {"Connection", head.keep_alive ? "keep-alive" : "close"},
  };
  if (!head.content_type.empty()) fields["Content-Type"] = head.content_type;
  if (head.content_length) fields["Content-Length"] = std::to_string(*head.content_length);
  for (const auto& [name, value] : head.headers) {
    if (!is_name(name)) return std::nullopt;
    fields[name] = value;
  }
  std::string out = "HTTP/1.1 " + std::to_string(head.status) + ' ';
  out += reason_phrase(head.status);
  out += "\r\n";
  for (const auto& [name, value] : fields) {
    if (!is_value(value)) return std::nullopt;
    out += name + ": " + value + "\r\n";
  }
  return out + "\r\n";
}

}  // namespace hansa::http::internal
