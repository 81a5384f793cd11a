// Examples held in memory, and a data source that reads them.
#pragma once
#include <cstring>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "learning/data/data_source.h"

namespace hansa::learning {

// The values of one tensor of some examples, one example after the other. The alternative is that of the tensor's type:
// uint8 and boolean share one.
using TensorValues = std::variant<std::vector<float>, std::vector<std::uint8_t>, std::vector<std::int32_t>,
                                  std::vector<std::int64_t>>;
[[nodiscard]] TensorValues no_values(ElementType type);
[[nodiscard]] std::span<const std::byte> bytes_of(const TensorValues& values);
void append(std::span<const std::byte> bytes, TensorValues& values);

struct Examples {
  ExampleShape shape;
  std::vector<TensorValues> tensors;  // one for each tensor of the shape, of its type

  Examples() = default;
  // Without an example.
  explicit Examples(ExampleShape of);

  // Tensor `tensor` of the shape. T is that of its type.
  template <class T>
  [[nodiscard]] std::vector<T>& values(std::size_t tensor) {
    return std::get<std::vector<T>>(tensors[tensor]);
  }
  template <class T>
  [[nodiscard]] const std::vector<T>& values(std::size_t tensor) const {
    return std::get<std::vector<T>>(tensors[tensor]);
  }
  [[nodiscard]] std::uint64_t count() const;
};

// Copies examples `indices` of a tensor whose examples have `bytes` bytes each.
void copy_examples(std::span<const std::byte> from, std::size_t bytes, std::span<const std::uint32_t> indices,
                   TensorBytes to);
// All examples of a source.
[[nodiscard]] Result<Examples> copy_of(const DataSource& source);

class DenseSource final : public DataSource {
 public:
  DenseSource(std::string location, Examples examples);
  DenseSource(std::string location, Examples examples, DataDescription description);

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return examples_.shape; }
  [[nodiscard]] DataDescription description() const override { return description_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override;
  [[nodiscard]] std::string location() const override { return location_; }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override;

 private:
  std::string location_;
  Examples examples_;
  std::uint64_t count_;
  DataDescription description_;
};

}  // namespace hansa::learning
