// The parameter layout: names, shapes and order of a model's flat vector of float32.
//
// Derived from a model archive (learning/model_archive.h); its digest travels with every
// task and update, so that two sides never add vectors of different meaning.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.h"
#include "common/error.h"

namespace hansa {

enum class ParameterKind : std::uint8_t { trainable, buffer };

struct ParameterEntry {
  std::string name;  // as the archive names it: "conv1.weight"
  std::vector<std::int64_t> shape;  // empty: a scalar
  ParameterKind kind = ParameterKind::trainable;
  std::uint64_t offset = 0;  // first element in the flat vector
  std::uint64_t count = 0;  // elements: the product of the shape
};

class ParameterLayout {
 public:
  static constexpr std::uint64_t elements_max = 1ULL << 32;
  static constexpr std::size_t entries_max = 100'000;

  ParameterLayout() = default;
  // Offsets and counts are computed from the shapes. Fails on an empty or doubled name,
  // a negative dimension, or more than elements_max elements.
  [[nodiscard]] static Result<ParameterLayout> create(std::vector<ParameterEntry> entries);
  // Reads what text() writes. place names the source in errors.
  [[nodiscard]] static Result<ParameterLayout> parse(std::string_view text, std::string_view place);

  [[nodiscard]] std::span<const ParameterEntry> entries() const { return entries_; }
  [[nodiscard]] std::uint64_t element_count() const { return element_count_; }
  // One line an entry, "trainable conv1.weight 16 1 5 5": the canonical form.
  [[nodiscard]] std::string text() const;
  // SHA-256 of text().
  [[nodiscard]] Digest digest() const;

 private:
  std::vector<ParameterEntry> entries_;
  std::uint64_t element_count_ = 0;
};

}  // namespace hansa
