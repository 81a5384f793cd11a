// Examples of an array as values of a tensor.
#pragma once
#include <cstdint>
#include <span>

#include "learning/data/data_source.h"
#include "learning/data/kinds/arrays/array.h"

namespace hansa::learning::kinds {

// Writes examples `indices` of the array to `to`, converted to type `type`. Integers beyond int64 become its largest
// value; floating point beyond float32 becomes infinite.
void convert_examples(const Array& array, std::span<const std::uint32_t> indices, ElementType type,
                      TensorBytes to);

}  // namespace hansa::learning::kinds
