#include "learning/data/internal/idx_source.h"

#include <algorithm>
#include <cassert>

#include "learning/data/idx_file.h"

namespace hansa::learning::internal {
namespace {

class IdxSource final : public DataSource {
 public:
  IdxSource(std::string location, IdxPair pair) : location_(std::move(location)), pair_(std::move(pair)) {
    shape_ = one_input({1, pair_.images.dimensions[1], pair_.images.dimensions[2]},
                       class_target(*std::ranges::max_element(pair_.labels.values) + 1));
  }

  [[nodiscard]] std::uint64_t example_count() const override { return pair_.labels.values.size(); }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return pair_.images.values.size() + pair_.labels.values.size();
  }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    if (!tensors[0].empty()) read_images(indices, values_of<float>(tensors[0]));
    if (tensors[1].empty()) return {};
    const std::span<std::int64_t> labels = values_of<std::int64_t>(tensors[1]);
    for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = pair_.labels.values[indices[i]];
    return {};
  }

 private:
  void read_images(std::span<const std::uint32_t> indices, std::span<float> images) const {
    const std::size_t size = pair_.images.example_size();
    assert(images.size() == indices.size() * size);
    float* __restrict out = images.data();
    for (const std::uint32_t index : indices) {
      const std::uint8_t* __restrict in = pair_.images.values.data() + index * size;
      // Division instead of multiplication by 1/255, so that the values equal those of Python's `/ 255`.
      for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(in[i]) / 255.0F;
      out += size;
    }
  }

  std::string location_;
  IdxPair pair_;
  ExampleShape shape_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_idx_source(const DataConfig& config) {
  if (config.images.empty())
    return fail(ErrorCode::usage, "data.images", "is not set", "name an idx file of images");
  if (config.labels.empty())
    return fail(ErrorCode::usage, "data.labels", "is not set", "name an idx file of labels");
  HANSA_TRY(IdxPair pair, read_idx_pair({config.images, config.labels}, config.examples_max));
  const std::string location = config.images.string();
  if (pair.images.example_count() == 0)
    return fail(ErrorCode::data, location, "holds no example", "give this client a file with examples",
                {ReasonCode::too_few_examples, {}});
  if (pair.images.example_size() == 0)
    return fail(ErrorCode::data, location, "has images without pixels", "fetch or copy the file again",
                {ReasonCode::data_damaged, {}});
  return std::make_unique<IdxSource>(location, std::move(pair));
}

}  // namespace hansa::learning::internal
