#include "server/http/internal/request_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace hansa::http::internal {
namespace {

namespace beast = boost::beast;

constexpr std::string_view head_end = "\r\n\r\n";

Refusal malformed(std::string message) { return {400, "malformed", std::move(message)}; }

// Beast accepts folded lines, which other programs read as lines of their own.
std::optional<Refusal> check_lines(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\0') return malformed("the header has a NUL");
    if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n'))
      return malformed("the header has a bare CR");
    if (c != '\n') continue;
    if (i == 0 || head[i - 1] != '\r') return malformed("the header has a bare LF");
    if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t'))
      return malformed("the header has a folded line");
  }
  return std::nullopt;
}

std::string text(beast::string_view view) { return {view.data(), view.size()}; }

using Fields = beast::http::fields;

std::optional<Refusal> check_single(const Fields& fields) {
  using beast::http::field;
  for (const field name :
       {field::host, field::content_length, field::origin, field::authorization, field::content_type})
    if (fields.count(name) > 1)
      return malformed("the header " + text(to_string(name)) + " is there more than once");
  return std::nullopt;
}

std::optional<std::string> optional_field(const Fields& fields, beast::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  return text(found->value());
}

std::string joined(const Fields& fields, beast::http::field name) {
  std::string out;
  for (auto [first, last] = fields.equal_range(name); first != last; ++first)
    out += (out.empty() ? "" : ", ") + text(first->value());
  return out;
}

// Only digits: no sign, no blank, no list.
std::optional<std::size_t> content_length(const std::string& value) {
  if (value.empty() || value.size() > 18 || value.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::stoull(value);
}

}  // namespace

std::variant<RequestReader::NeedMore, RawRequest, Refusal> RequestReader::next() {
  const std::size_t end = buffer_.find(head_end, searched_);
  if (end == std::string::npos || end + head_end.size() > limits_.header_bytes_max) {
    if (buffer_.size() >= limits_.header_bytes_max)
      return Refusal{431, "header_too_large",
                     "the header has more than " + std::to_string(limits_.header_bytes_max) + " bytes"};
    searched_ = buffer_.size() - std::min(buffer_.size(), head_end.size() - 1);
    return NeedMore{};
  }
  searched_ = end;
  const std::string_view head = std::string_view(buffer_).substr(0, end + head_end.size());
  if (auto refused = check_lines(head)) return std::move(*refused);

  beast::http::request_parser<beast::http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max + 1));
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // checked below
  beast::error_code error;
  parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
  if (error == beast::http::error::bad_version) return Refusal{505, "version", "the server speaks HTTP/1.1"};
  if (error || !parser.is_header_done()) return malformed("the header is no valid HTTP/1.1");
  const auto& message = parser.get();

  if (auto refused = check_single(message)) return std::move(*refused);
  if (message.count(beast::http::field::transfer_encoding) > 0)
    return Refusal{501, "transfer_encoding", "a request needs Content-Length, not Transfer-Encoding"};
  if (message.count(beast::http::field::expect) > 0)
    return Refusal{417, "expect", "the header Expect is not supported"};
  std::size_t length = 0;
  if (const auto value = optional_field(message, "Content-Length")) {
    const auto parsed = content_length(*value);
    if (!parsed) return malformed("Content-Length is no number");
    length = *parsed;
  }
  if (length > limits_.body_bytes_max)
    return Refusal{413, "body_too_large",
                   "the body has more than " + std::to_string(limits_.body_bytes_max) + " bytes"};
  if (message.target().size() > limits_.target_bytes_max)
    return Refusal{414, "target_too_long",
                   "the address has more than " + std::to_string(limits_.target_bytes_max) + " bytes"};
  if (buffer_.size() - head.size() < length) return NeedMore{};

  RawRequest out;
  out.method = text(message.method_string());
  out.target = text(message.target());
  out.host = text(message[beast::http::field::host]);
  out.origin = optional_field(message, "Origin");
  out.authorization = optional_field(message, "Authorization");
  out.content_type = optional_field(message, "Content-Type");
  out.fetch_site = optional_field(message, "Sec-Fetch-Site");
  out.if_none_match = joined(message, beast::http::field::if_none_match);
  out.accept_encoding = joined(message, beast::http::field::accept_encoding);
  for (const auto& field : message)
    if (beast::iequals(field.name_string(), "X-Forwarded-For"))
      out.forwarded_for += (out.forwarded_for.empty() ? "" : ", ") + text(field.value());
  out.body = buffer_.substr(head.size(), length);
  out.keep_alive = message.version() == 11 && message.keep_alive();
  buffer_.erase(0, head.size() + length);
  searched_ = 0;
  return out;
}

}  // namespace hansa::http::internal
