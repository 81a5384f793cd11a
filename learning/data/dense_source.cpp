#include "learning/data/dense_source.h"

#include <cassert>
#include <numeric>

namespace hansa::learning {

TensorValues no_values(ElementType type) {
  switch (type) {
    case ElementType::float32: return std::vector<float>();
    case ElementType::uint8:
    case ElementType::boolean: return std::vector<std::uint8_t>();
    case ElementType::int32: return std::vector<std::int32_t>();
    case ElementType::int64: return std::vector<std::int64_t>();
  }
  return std::vector<float>();
}

std::span<const std::byte> bytes_of(const TensorValues& values) {
  return std::visit([](const auto& of_type) { return std::as_bytes(std::span(of_type)); }, values);
}

void append(std::span<const std::byte> bytes, TensorValues& values) {
  std::visit(
      [bytes](auto& of_type) {
        using Value = typename std::decay_t<decltype(of_type)>::value_type;
        assert(bytes.size() % sizeof(Value) == 0);
        const std::size_t before = of_type.size();
        of_type.resize(before + bytes.size() / sizeof(Value));
        if (!bytes.empty()) std::memcpy(of_type.data() + before, bytes.data(), bytes.size());
      },
      values);
}

Examples::Examples(ExampleShape of) : shape(std::move(of)) {
  for (std::size_t t = 0; t < shape.size(); ++t) tensors.push_back(no_values(shape[t].type));
}

std::uint64_t Examples::count() const {
  if (tensors.empty() || shape.inputs.front().bytes() == 0) return 0;
  return bytes_of(tensors.front()).size() / shape.inputs.front().bytes();
}

void copy_examples(std::span<const std::byte> from, std::size_t bytes, std::span<const std::uint32_t> indices,
                   TensorBytes to) {
  assert(to.size() == indices.size() * bytes);
  for (std::size_t i = 0; i < indices.size(); ++i)
    std::memcpy(to.data() + i * bytes, from.data() + indices[i] * bytes, bytes);
}

Result<Examples> copy_of(const DataSource& source) {
  Examples out(source.shape());
  std::vector<std::uint32_t> all(source.example_count());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<TensorBytes> tensors;
  for (std::size_t t = 0; t < out.tensors.size(); ++t)
    std::visit(
        [&](auto& values) {
          values.resize(all.size() * out.shape[t].elements());
          tensors.push_back(std::as_writable_bytes(std::span(values)));
        },
        out.tensors[t]);
  HANSA_TRY_VOID(source.read(all, tensors));
  return out;
}

DenseSource::DenseSource(std::string location, Examples examples)
    : DenseSource(std::move(location), std::move(examples), {}) {
  description_ = describe(shape());
}

DenseSource::DenseSource(std::string location, Examples examples, DataDescription description)
    : location_(std::move(location)),
      examples_(std::move(examples)),
      count_(examples_.count()),
      description_(std::move(description)) {
  for (std::size_t t = 0; t < examples_.tensors.size(); ++t)
    assert(bytes_of(examples_.tensors[t]).size() == count_ * shape()[t].bytes());
}

std::uint64_t DenseSource::memory_bytes() const {
  std::uint64_t out = 0;
  for (const TensorValues& values : examples_.tensors) out += bytes_of(values).size();
  return out;
}

Result<void> DenseSource::read(std::span<const std::uint32_t> indices,
                               std::span<const TensorBytes> tensors) const {
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (!tensors[t].empty())
      copy_examples(bytes_of(examples_.tensors[t]), shape()[t].bytes(), indices, tensors[t]);
  return {};
}

}  // namespace hansa::learning
