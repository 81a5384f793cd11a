// Examples that lie in memory as numbers.
#pragma once
#include <cassert>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "learning/data/data_source.h"

namespace hansa::learning::internal {

class DenseSource final : public DataSource {
 public:
  // inputs: count x shape.input_elements(). Of classes and reals, the one that fits shape.target_kind has count
  // entries.
  DenseSource(std::string place, ExampleShape shape, std::vector<float> inputs,
              std::vector<std::int64_t> classes, std::vector<float> reals)
      : place_(std::move(place)),
        shape_(std::move(shape)),
        inputs_(std::move(inputs)),
        classes_(std::move(classes)),
        reals_(std::move(reals)) {
    assert(inputs_.size() == example_count() * shape_.input_elements());
  }

  [[nodiscard]] std::uint64_t example_count() const override {
    return shape_.target_kind == TargetKind::class_index ? classes_.size() : reals_.size();
  }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return sizeof(float) * (inputs_.size() + reals_.size()) + sizeof(std::int64_t) * classes_.size();
  }
  [[nodiscard]] std::string place() const override { return place_; }

  void read_inputs(std::span<const std::uint32_t> indices, std::span<float> inputs) const override {
    const std::size_t size = shape_.input_elements();
    assert(inputs.size() == indices.size() * size);
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::memcpy(inputs.data() + i * size, inputs_.data() + indices[i] * size, size * sizeof(float));
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<std::int64_t> targets) const override {
    for (std::size_t i = 0; i < indices.size(); ++i) targets[i] = classes_[indices[i]];
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<float> targets) const override {
    for (std::size_t i = 0; i < indices.size(); ++i) targets[i] = reals_[indices[i]];
  }

 private:
  std::string place_;
  ExampleShape shape_;
  std::vector<float> inputs_;
  std::vector<std::int64_t> classes_;
  std::vector<float> reals_;
};

}  // namespace hansa::learning::internal
