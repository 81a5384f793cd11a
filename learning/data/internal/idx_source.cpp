#include "learning/data/internal/idx_source.h"

#include <algorithm>
#include <cassert>

#include "learning/data/idx_file.h"

namespace hansa::learning::internal {
namespace {

class IdxSource final : public DataSource {
 public:
  IdxSource(std::string location, IdxExamples examples)
      : location_(std::move(location)), examples_(std::move(examples)) {
    // -1: no label counts.
    const std::int64_t largest = std::max(std::ranges::max(examples_.labels), -1);
    shape_ = one_input({1, examples_.images.dimensions[1], examples_.images.dimensions[2]},
                       class_target(largest + 1));
  }

  [[nodiscard]] std::uint64_t example_count() const override { return examples_.labels.size(); }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return examples_.images.values.size() + examples_.labels.size() * sizeof(std::int32_t);
  }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    if (!tensors[0].empty()) read_images(indices, values_of<float>(tensors[0]));
    if (tensors[1].empty()) return {};
    const std::span<std::int64_t> labels = values_of<std::int64_t>(tensors[1]);
    for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = examples_.labels[indices[i]];
    return {};
  }

 private:
  void read_images(std::span<const std::uint32_t> indices, std::span<float> images) const {
    const std::size_t size = examples_.images.example_size();
    assert(images.size() == indices.size() * size);
    float* __restrict out = images.data();
    for (const std::uint32_t index : indices) {
      const std::uint8_t* __restrict in = examples_.images.values.data() + index * size;
      // Division instead of multiplication by 1/255, so that the values equal those of Python's `/ 255`.
      for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(in[i]) / 255.0F;
      out += size;
    }
  }

  std::string location_;
  IdxExamples examples_;
  ExampleShape shape_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_idx_source(const DataConfig& config) {
  if (config.images.empty())
    return fail(ErrorCode::usage, "data.images", "is not set", "name an idx file of images");
  if (config.labels.empty())
    return fail(ErrorCode::usage, "data.labels", "is not set", "name an idx file of labels");
  HANSA_TRY(IdxExamples examples, read_idx_examples({config.images, config.labels}, config.examples_max));
  const std::string location = config.images.string();
  if (examples.images.example_count() == 0)
    return fail(ErrorCode::data, location, "holds no example", "give this client a file with examples",
                {ReasonCode::too_few_examples, {}});
  if (examples.images.example_size() == 0)
    return fail(ErrorCode::data, location, "has images without pixels", "fetch or copy the file again",
                {ReasonCode::data_damaged, {}});
  return std::make_unique<IdxSource>(location, std::move(examples));
}

}  // namespace hansa::learning::internal
