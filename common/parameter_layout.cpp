#include "common/parameter_layout.h"

#include <charconv>
#include <set>

namespace hansa {

Result<ParameterLayout> ParameterLayout::create(std::vector<ParameterEntry> entries) {
  ParameterLayout layout;
  if (entries.size() > entries_max)
    return fail(ErrorCode::model, "layout", "has more than 100,000 parameters");
  std::set<std::string_view> names;
  for (auto& entry : entries) {
    if (entry.name.empty() || entry.name.find_first_of(" \n\r\t") != std::string::npos)
      return fail(ErrorCode::model, "layout", "has a parameter whose name is empty or contains white space");
    if (!names.insert(entry.name).second)
      return fail(ErrorCode::model, entry.name, "occurs twice in the layout");
    std::uint64_t count = 1;
    for (const std::int64_t dimension : entry.shape) {
      if (dimension < 0) return fail(ErrorCode::model, entry.name, "has a negative dimension");
      if (dimension != 0 && count > elements_max / static_cast<std::uint64_t>(dimension))
        return fail(ErrorCode::model, entry.name, "has more than 2^32 elements");
      count *= static_cast<std::uint64_t>(dimension);
    }
    entry.offset = layout.element_count_;
    entry.count = count;
    layout.element_count_ += count;
    if (layout.element_count_ > elements_max)
      return fail(ErrorCode::model, "layout", "has more than 2^32 elements");
  }
  layout.entries_ = std::move(entries);
  return layout;
}

std::string ParameterLayout::text() const {
  std::string out;
  for (const auto& entry : entries_) {
    out += entry.kind == ParameterKind::trainable ? "trainable " : "buffer ";
    out += entry.name;
    for (const std::int64_t dimension : entry.shape) out += " " + std::to_string(dimension);
    out += "\n";
  }
  return out;
}

Digest ParameterLayout::digest() const { return sha256(std::string_view(text())); }

Result<ParameterLayout> ParameterLayout::parse(std::string_view text, std::string_view location) {
  std::vector<ParameterEntry> entries;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto bad = [&](std::string what) {
      return fail(ErrorCode::model, std::string(location) + ":" + std::to_string(line_number),
                  std::move(what));
    };
    const auto next_word = [&]() -> std::string_view {
      const std::size_t space = line.find(' ');
      const std::string_view word = line.substr(0, space);
      line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
      return word;
    };
    ParameterEntry entry;
    const std::string_view kind = next_word();
    if (kind == "trainable") entry.kind = ParameterKind::trainable;
    else if (kind == "buffer") entry.kind = ParameterKind::buffer;
    else return bad("a layout line starts with \"trainable\" or \"buffer\"");
    entry.name = next_word();
    while (!line.empty()) {
      const std::string_view word = next_word();
      std::int64_t dimension = 0;
      const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), dimension);
      if (error != std::errc() || stop != word.data() + word.size())
        return bad("a dimension is not a number");
      entry.shape.push_back(dimension);
    }
    if (entries.size() == entries_max) return bad("has more than 100,000 parameters");
    entries.push_back(std::move(entry));
  }
  return create(std::move(entries));
}

}  // namespace hansa
