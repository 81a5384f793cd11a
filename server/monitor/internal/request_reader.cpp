#include "server/monitor/internal/request_reader.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace hansa::server::internal {
namespace {

constexpr std::size_t shown_bytes_max = 80;

// A text of the request, in an error.
std::string shown(std::string_view text) {
  const std::size_t length = utf8_prefix(text, shown_bytes_max);
  return printable(text.substr(0, length)) + (length < text.size() ? "..." : "");
}

std::string joined(std::initializer_list<std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

std::string range_text(Range range) {
  return fmt::format("a whole number from {} to {}", range.least, range.most);
}

// Remembers the keys of the outermost object.
class KeyCheck {
 public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) deepest = std::max(deepest, depth + 1);
    if (event == Event::key && depth == 1 && !keys_.insert(parsed.get<std::string>()).second) repeated = true;
    return true;
  }
  int deepest = 0;
  bool repeated = false;

 private:
  std::set<std::string> keys_;
};

}  // namespace

http::Response answer_to(const Error& error) {
  const unsigned status = error.code == ErrorCode::usage      ? 400
                          : error.code == ErrorCode::refused  ? 409
                          : error.code == ErrorCode::resource ? 503
                                                              : 500;
  const std::string location = error.location.empty() ? "" : error.location + ": ";
  return http::error_response(status, name(error.code), printable(location + error.what),
                              printable(error.hint));
}

http::Response not_found(const std::string& what) { return http::error_response(404, "not_found", what); }

std::optional<std::uint64_t> whole_number(std::string_view text, std::uint64_t most) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || out > most)
    return std::nullopt;
  return out;
}

Result<void> check_parameters(const http::Request& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.query)
    if (std::ranges::find(known, name) == known.end())
      return fail(ErrorCode::usage, "parameter \"" + shown(name) + "\"", "is not known",
                  known.size() > 0 ? "known are: " + joined(known) : "this path has no parameters");
  return {};
}

Result<std::optional<std::uint64_t>> number_parameter(const http::Request& request, const std::string& name,
                                                      Range range) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  const auto value = whole_number(found->second, range.most);
  if (!value || *value < range.least)
    return fail(ErrorCode::usage, "parameter \"" + name + "\"",
                "is \"" + shown(found->second) + "\", which is not " + range_text(range));
  return value;
}

Result<nlohmann::json> read_object(const std::string& body, std::initializer_list<std::string_view> known) {
  constexpr int depth_max = 1;
  if (body.empty()) return nlohmann::json::object();
  KeyCheck check;
  const auto parsed = nlohmann::json::parse(
      body,
      [&check](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
        return check(depth, event, value);
      },
      /*allow_exceptions=*/false);
  if (!parsed.is_object() || check.repeated || check.deepest > depth_max)
    return fail(ErrorCode::usage, "the body", "is not one flat JSON object, in which each key is there once");
  for (const auto& [key, value] : parsed.items())
    if (std::ranges::find(known, key) == known.end())
      return fail(ErrorCode::usage, "key \"" + shown(key) + "\"", "is not known",
                  "known are: " + joined(known));
  return parsed;
}

Result<std::optional<std::string>> text_value(const nlohmann::json& object, const std::string& key,
                                              std::size_t bytes_max) {
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  const std::string* text = found->get_ptr<const std::string*>();
  if (text == nullptr || text->size() > bytes_max || printable(*text) != *text)
    return fail(ErrorCode::usage, "key \"" + key + "\"",
                fmt::format("is not one line of text of at most {} bytes", bytes_max));
  return *text;
}

Result<std::uint64_t> number_value(const nlohmann::json& object, const std::string& key, Range range) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() < range.least ||
      found->get<std::uint64_t>() > range.most)
    return fail(ErrorCode::usage, "key \"" + key + "\"", "is not " + range_text(range));
  return found->get<std::uint64_t>();
}

}  // namespace hansa::server::internal
