#include "learning/data/kinds/arrays/arrays_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <set>

#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/arrays/convert.h"

namespace hansa::learning::kinds {
namespace {

class ArraysSource final : public DataSource {
 public:
  ArraysSource(std::string location, NamedArrays arrays, std::uint64_t count)
      : location_(std::move(location)), count_(count) {
    for (Array& input : arrays.inputs) {
      shape_.inputs.push_back(input_of(input.spec));
      arrays_.push_back(std::move(input));
    }
    for (Array& target : arrays.targets) {
      shape_.targets.push_back(target_of(target.spec));
      arrays_.push_back(std::move(target));
    }
    for (const Array& array : arrays_) memories_.insert(array.memory.get());
  }

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    std::uint64_t out = 0;
    for (const ArrayMemory* memory : memories_) out += memory->memory_bytes();
    return out;
  }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    HANSA_TRY_VOID(check_memories());
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (!tensors[t].empty()) convert_examples(arrays_[t], indices, shape_[t].type, tensors[t]);
    return check_memories();  // a file may have been truncated meanwhile
  }

  [[nodiscard]] Result<void> check_values() {
    for (std::size_t t = 0; t < arrays_.size(); ++t) HANSA_TRY_VOID(check_tensor(t));
    return {};
  }

 private:
  [[nodiscard]] Result<void> check_memories() const {
    for (const ArrayMemory* memory : memories_) HANSA_TRY_VOID(memory->check());
    return {};
  }

  [[nodiscard]] Result<void> check_tensor(std::size_t t) {
    const std::size_t bytes = shape_[t].bytes();
    const auto examples_at_once = static_cast<std::size_t>(
        std::min<std::uint64_t>(count_, std::max<std::uint64_t>(1, (1U << 20) / bytes)));
    std::vector<std::byte> buffer(examples_at_once * bytes);
    std::vector<std::uint32_t> indices(examples_at_once);
    for (std::uint64_t begin = 0; begin < count_; begin += indices.size()) {
      indices.resize(static_cast<std::size_t>(std::min<std::uint64_t>(examples_at_once, count_ - begin)));
      std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(begin));
      std::vector<TensorBytes> tensors(shape_.size());
      tensors[t] = std::span(buffer).first(indices.size() * bytes);
      HANSA_TRY_VOID(read(indices, tensors));
      if (shape_[t].type == ElementType::float32)
        HANSA_TRY_VOID(check_finite(t, begin, learning::values_of<float>(tensors[t])));
      if (shape_[t].type == ElementType::int64)
        HANSA_TRY_VOID(check_integers(t, begin, learning::values_of<std::int64_t>(tensors[t])));
    }
    return {};
  }

  [[nodiscard]] Result<void> check_finite(std::size_t t, std::uint64_t begin,
                                          std::span<const float> values) const {
    const auto wrong = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    if (wrong == values.end()) return {};
    return invalid(begin + static_cast<std::size_t>(wrong - values.begin()) / shape_[t].elements(),
                   "has NaN or an infinite value in " + shape_[t].name, "remove or correct the example");
  }

  [[nodiscard]] Result<void> check_integers(std::size_t t, std::uint64_t begin,
                                            std::span<const std::int64_t> values) {
    constexpr std::int64_t beyond = std::numeric_limits<std::int64_t>::max();
    const bool are_labels = t >= shape_.inputs.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint64_t example = begin + i / shape_[t].elements();
      if (values[i] == beyond)
        return invalid(example, "has an integer that is too large in " + shape_[t].name,
                       "integers are below 2^63 - 1");
      if (are_labels && values[i] < 0 && values[i] != ignored_label)
        return invalid(example, "has the label " + std::to_string(values[i]),
                       "labels are integers from 0; -100 is a place that does not count");
    }
    if (are_labels) {
      std::int64_t& classes = shape_.targets[t - shape_.inputs.size()].class_count;
      classes = std::max(classes, std::ranges::max(values) + 1);
    }
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> invalid(std::uint64_t example, std::string what,
                                              std::string hint) const {
    return fail(ErrorCode::data, location_ + ": example " + std::to_string(example), std::move(what),
                std::move(hint), {ReasonCode::example_invalid, {{Quantity::example, example}}});
  }

  std::string location_;
  std::vector<Array> arrays_;  // one for each tensor of the shape
  std::set<const ArrayMemory*> memories_;
  ExampleShape shape_;
  std::uint64_t count_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> make_arrays_source(const std::string& location, NamedArrays arrays,
                                                       std::uint64_t count) {
  auto source = std::make_unique<ArraysSource>(location, std::move(arrays), count);
  HANSA_TRY_VOID(source->check_values());
  return source;
}

}  // namespace hansa::learning::kinds
