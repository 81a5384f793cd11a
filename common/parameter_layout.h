// The parameter layout: names, shapes and order of the parameters in a model's flat float32 vector.
//
// It is derived from a model archive (learning/model_archive.h). Every task and update carries its digest, so that
// vectors of different layouts are never added.
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
  std::string name;  // its name in the archive: "conv1.weight"
  std::vector<std::int64_t> shape;  // empty: a scalar
  ParameterKind kind = ParameterKind::trainable;
  std::uint64_t offset = 0;  // index of the first element in the flat vector
  std::uint64_t count = 0;  // number of elements: the product of the shape
};

class ParameterLayout {
 public:
  static constexpr std::uint64_t elements_max = 1ULL << 32;
  static constexpr std::size_t entries_max = 100'000;

  ParameterLayout() = default;
  // Computes offsets and counts from the shapes. Fails on an empty or repeated name, a negative dimension, more than
  // entries_max entries or more than elements_max elements.
  [[nodiscard]] static Result<ParameterLayout> create(std::vector<ParameterEntry> entries);
  // Reads the format that text() writes. The location is that of errors; the line number is appended.
  [[nodiscard]] static Result<ParameterLayout> parse(std::string_view text, std::string_view location);

  [[nodiscard]] std::span<const ParameterEntry> entries() const { return entries_; }
  [[nodiscard]] std::uint64_t element_count() const { return element_count_; }
  // The canonical form, with one line per entry: "trainable conv1.weight 16 1 5 5".
  [[nodiscard]] std::string text() const;
  // SHA-256 of text().
  [[nodiscard]] Digest digest() const;

 private:
  std::vector<ParameterEntry> entries_;
  std::uint64_t element_count_ = 0;
};

}  // namespace hansa
