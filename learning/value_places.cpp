#include "learning/value_places.h"

#include <charconv>
#include <utility>

namespace hansa::learning {
namespace {

// Removes and returns the text before the next separator, or all of it.
std::string_view take_until(char separator, std::string_view& text) {
  const std::size_t end = text.find(separator);
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

bool take_count(std::string_view& line, std::uint64_t& out) {
  const std::string_view word = take_until(' ', line);
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  return error == std::errc() && stop == word.data() + word.size();
}

}  // namespace

std::string text_of(const std::vector<ValuePlace>& places) {
  std::string out;
  for (const ValuePlace& place : places) {
    out += place.record + " " + std::to_string(place.offset);
    for (const std::uint64_t stride : place.strides) out += " " + std::to_string(stride);
    out += "\n";
  }
  return out;
}

Result<std::vector<ValuePlace>> parse_places(std::string_view text, const ParameterLayout& layout,
                                             const std::string& location) {
  const auto bad = [&] {
    return fail(ErrorCode::model, location, "has values at places that cannot be right",
                "the model's code may be hostile");
  };
  std::vector<ValuePlace> out;
  out.reserve(layout.entries().size());
  for (const ParameterEntry& entry : layout.entries()) {
    if (text.empty()) return bad();
    std::string_view line = take_until('\n', text);
    ValuePlace place;
    place.record = take_until(' ', line);
    if (!take_count(line, place.offset)) return bad();
    place.strides.resize(entry.shape.size());
    for (std::uint64_t& stride : place.strides)
      if (!take_count(line, stride)) return bad();
    if (!line.empty()) return bad();
    out.push_back(std::move(place));
  }
  if (!text.empty()) return bad();
  return out;
}

}  // namespace hansa::learning
