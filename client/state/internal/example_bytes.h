// Examples and their shape to and from the bytes that the state holds.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "learning/data/dense_source.h"

namespace hansa::client {

// What examples have in common: their shape, and the names of their columns, which are empty if they are not known.
struct HeldShape {
  learning::ExampleShape shape;
  std::vector<std::string> columns = {};
  std::string label = {};
  std::vector<std::string> classes = {};
};
// As JSON. shape_of() throws Damaged.
[[nodiscard]] std::string json_of(const HeldShape& held);
[[nodiscard]] HeldShape shape_of(const std::string& json);
// For error messages.
[[nodiscard]] std::string text_of(const learning::ExampleShape& shape);

// One example: its tensors in the order of the shape.
class ExampleBytes {
 public:
  explicit ExampleBytes(const learning::ExampleShape& shape);
  [[nodiscard]] std::vector<std::byte> pack(const learning::Examples& from, std::size_t index) const;
  // Appends the example. Throws Damaged if its size is wrong.
  void unpack(std::span<const std::byte> bytes, learning::Examples& to) const;

 private:
  std::vector<std::size_t> tensors_;  // bytes of each
  std::size_t size_ = 0;
};

}  // namespace hansa::client
