#include "common/data_description.h"

#include <algorithm>
#include <array>

#include "common/transcript.h"

namespace hansa {
namespace {

struct TypeFacts {
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array<TypeFacts, element_types> types{
    {{"float32", 4}, {"uint8", 1}, {"int32", 4}, {"int64", 8}, {"boolean", 1}}};

}  // namespace

std::size_t bytes_of(ElementType type) { return types.at(static_cast<std::size_t>(type)).bytes; }

std::string_view name(ElementType type) { return types.at(static_cast<std::size_t>(type)).name; }

std::optional<ElementType> element_type_of(std::string_view name) {
  const auto found = std::ranges::find(types, name, &TypeFacts::name);
  if (found == types.end()) return std::nullopt;
  return static_cast<ElementType>(found - types.begin());
}

std::string_view name(TargetType target) {
  constexpr std::array<std::string_view, 3> names{"class", "real", "none"};
  return names.at(static_cast<std::size_t>(target));
}

std::string text_of(const TensorDescription& input) {
  std::string out = input.name + ": " + std::string(name(input.type)) + " [";
  for (std::size_t i = 0; i < input.shape.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(input.shape[i]);
  return out + "]";
}

void limit_names(DataDescription& description) {
  std::size_t bytes = description.label.size();
  for (const auto* list : {&description.columns, &description.classes})
    for (const std::string& name : *list) bytes += name.size() + 8;
  if (description.columns.size() <= described_columns_max && bytes <= described_bytes_max) return;
  description.columns.clear();
  description.label.clear();
  description.classes.clear();
  description.ranges.clear();
  description.missing.clear();
}

std::uint64_t schema_digest(const DataDescription& description) {
  if (description.columns.empty() && description.classes.empty() && description.preparation.empty()) return 0;
  Transcript names("hansa data schema 1");
  const auto add = [&names](const std::string& text) {
    names.text(std::string_view(text).substr(0, 65'535));
  };
  names.number(description.inputs.size(), 4);
  for (const TensorDescription& input : description.inputs) {
    add(input.name);
  }
  for (const auto* list : {&description.columns, &description.classes}) {
    names.number(list->size(), 4);
    for (const std::string& text : *list) add(text);
  }
  add(description.label);
  add(std::string(name(description.target)));
  if (!description.preparation.empty()) add(description.preparation);
  const Digest digest = names.digest();
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = out << 8U | digest.bytes[i];
  return std::max<std::uint64_t>(out, 1);
}

}  // namespace hansa
