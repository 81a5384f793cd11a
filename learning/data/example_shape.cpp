#include "learning/data/example_shape.h"

#include <functional>
#include <numeric>
#include <utility>

namespace hansa::learning {

std::size_t TensorSpec::elements() const {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

std::size_t TensorSpec::bytes() const { return elements() * bytes_of(type); }

std::string text_of(const TensorSpec& spec) {
  std::string out = "`" + spec.name + "`: " + std::string(name(spec.type)) + " [";
  for (std::size_t i = 0; i < spec.shape.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(spec.shape[i]);
  return out + "]";
}

std::string text_of(std::span<const TensorSpec> specs) {
  std::string out;
  for (const TensorSpec& spec : specs) out += (out.empty() ? "" : ", ") + text_of(spec);
  return out;
}

std::size_t ExampleShape::input_bytes() const {
  std::size_t out = 0;
  for (const TensorSpec& input : inputs) out += input.bytes();
  return out;
}

std::size_t ExampleShape::bytes() const {
  std::size_t out = input_bytes();
  for (const TensorSpec& target : targets) out += target.bytes();
  return out;
}

TensorSpec class_target(std::int64_t class_count, std::vector<std::int64_t> shape) {
  return {"y", ElementType::int64, std::move(shape), class_count};
}

TensorSpec real_target(std::vector<std::int64_t> shape) {
  return {"y", ElementType::float32, std::move(shape), 0};
}

ExampleShape one_input(std::vector<std::int64_t> shape, TensorSpec target) {
  return {{{"x", ElementType::float32, std::move(shape), 0}}, {std::move(target)}};
}

}  // namespace hansa::learning
