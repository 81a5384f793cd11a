// Collects an input whose value is an array of numbers in each example. Its type is int64 if all its values in the file are
// written as integers, otherwise float32.
//
// Arrays of different lengths form a sequence: each is followed by zeros up to a common length, and two further inputs say
// what is there: NAME_length, int64, and NAME_mask, boolean [length].
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learning/data/dense_source.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::internal {

// An array of one example.
struct NumberArrayView {
  std::span<const std::int64_t> shape;
  std::span<const double> reals;  // as many as the shape has
  std::span<const std::int64_t> integers;  // as many as reals, if all are written as integers within int64
};

class ArrayColumn {
 public:
  // Of arrays of this shape.
  ArrayColumn(std::string name, std::vector<std::int64_t> shape);
  // Of arrays of this shape with up to `length` in place of the first size.
  [[nodiscard]] static ArrayColumn sequence(std::string name, std::vector<std::int64_t> shape,
                                            std::uint32_t length);

  // The array of the next example. Returns why it is refused: it has another shape, is longer than the sequence may be, or has
  // a number that the type cannot hold.
  [[nodiscard]] std::optional<InvalidValue> add(const NumberArrayView& array);
  [[nodiscard]] const std::string& name() const { return spec_.name; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_of(values_).size(); }
  // Appends the input, or the three of a sequence, to examples without targets. Leaves the column empty.
  void move_to(Examples& examples);

 private:
  [[nodiscard]] std::optional<InvalidValue> check_shape(std::span<const std::int64_t> shape) const;
  [[nodiscard]] std::optional<InvalidValue> add_values(const NumberArrayView& array);

  TensorSpec spec_;
  TensorValues values_;
  bool is_sequence_ = false;
  std::vector<std::int64_t> lengths_;  // of a sequence, for each example
};

// Why a sequence cannot have this name among columns of these names, if it cannot: one of them has the name of an input that
// the sequence adds.
[[nodiscard]] std::optional<InvalidValue> check_sequence_name(const std::string& name,
                                                              std::span<const std::string> columns);

// That a number is beyond float32: `text` says where ("has a number").
[[nodiscard]] InvalidValue beyond_float(const std::string& text);

}  // namespace hansa::learning::internal
