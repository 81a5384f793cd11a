// Examples held in memory as numbers, and a data source that reads them.
#pragma once
#include <cassert>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "learning/data/data_source.h"

namespace hansa::learning {

struct Examples {
  ExampleShape shape;
  std::vector<float> inputs;  // count() x shape.input_elements()
  // Only the vector that fits shape.target_kind is filled: count() x shape.target_elements() values.
  std::vector<std::int64_t> classes;
  std::vector<float> reals;

  [[nodiscard]] std::uint64_t count() const {
    const std::size_t values = shape.target_kind == TargetKind::class_index ? classes.size() : reals.size();
    return values / shape.target_elements();
  }
};

class DenseSource final : public DataSource {
 public:
  DenseSource(std::string location, Examples examples)
      : DenseSource(std::move(location), std::move(examples), {}) {
    description_ = describe(shape());
  }
  DenseSource(std::string location, Examples examples, DataDescription description)
      : location_(std::move(location)), examples_(std::move(examples)), description_(std::move(description)) {
    assert(examples_.inputs.size() == example_count() * shape().input_elements());
  }

  [[nodiscard]] std::uint64_t example_count() const override { return examples_.count(); }
  [[nodiscard]] const ExampleShape& shape() const override { return examples_.shape; }
  [[nodiscard]] DataDescription description() const override { return description_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return sizeof(float) * (examples_.inputs.size() + examples_.reals.size()) +
           sizeof(std::int64_t) * examples_.classes.size();
  }
  [[nodiscard]] std::string location() const override { return location_; }

  void read_inputs(std::span<const std::uint32_t> indices, std::span<float> inputs) const override {
    copy(examples_.inputs, shape().input_elements(), indices, inputs);
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<std::int64_t> targets) const override {
    copy(examples_.classes, shape().target_elements(), indices, targets);
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<float> targets) const override {
    copy(examples_.reals, shape().target_elements(), indices, targets);
  }

 private:
  template <class T>
  static void copy(const std::vector<T>& from, std::size_t size, std::span<const std::uint32_t> indices,
                   std::span<T> to) {
    assert(to.size() == indices.size() * size);
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::memcpy(to.data() + i * size, from.data() + indices[i] * size, size * sizeof(T));
  }

  std::string location_;
  Examples examples_;
  DataDescription description_;
};

}  // namespace hansa::learning
