#include "learning/internal/batch.h"

#include <cassert>

namespace hansa::learning {
namespace {

std::vector<std::int64_t> with_count(std::size_t count, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> out{static_cast<std::int64_t>(count)};
  out.insert(out.end(), shape.begin(), shape.end());
  return out;
}

}  // namespace

BatchReader::BatchReader(const DataSource& source, std::size_t batch_size_max, MemoryOrder order)
    : source_(source), order_(source.shape().input.size() == 3 ? order : MemoryOrder::contiguous) {
  const ExampleShape& shape = source.shape();
  rows_.resize(batch_size_max * shape.input_elements());
  if (order_ == MemoryOrder::channels_last && shape.input[0] != 1)
    inputs_ = empty_in_order(with_count(batch_size_max, shape.input), order_);
  if (shape.target_kind == TargetKind::class_index) labels_.resize(batch_size_max);
  else values_.resize(batch_size_max * shape.target_elements());
}

Batch BatchReader::read(std::span<const std::uint32_t> indices) {
  const ExampleShape& shape = source_.shape();
  size_ = indices.size();
  source_.read_inputs(indices, std::span(rows_).first(size_ * shape.input_elements()));
  const std::vector<std::int64_t> sizes = with_count(size_, shape.input);

  Batch batch;
  if (inputs_.defined()) {
    batch.inputs = inputs_.narrow(0, 0, sizes[0]);
    batch.inputs.copy_(at::from_blob(rows_.data(), sizes, at::kFloat));
  } else if (order_ == MemoryOrder::channels_last) {
    // With one channel both memory orders have the same bytes, so only the strides must say channels last.
    batch.inputs = at::from_blob(rows_.data(), sizes, at::get_channels_last_strides_2d(sizes), at::kFloat);
  } else {
    batch.inputs = at::from_blob(rows_.data(), sizes, at::kFloat);
  }
  if (shape.target_kind == TargetKind::class_index) {
    source_.read_targets(indices, std::span(labels_).first(size_));
    batch.targets = at::from_blob(labels_.data(), with_count(size_, shape.target), at::kLong);
  } else {
    source_.read_targets(indices, std::span(values_).first(size_ * shape.target_elements()));
    batch.targets = at::from_blob(values_.data(), with_count(size_, shape.target), at::kFloat);
  }
  return batch;
}

std::span<const std::int64_t> BatchReader::labels() const {
  return labels_.empty() ? std::span<const std::int64_t>() : std::span(labels_).first(size_);
}

}  // namespace hansa::learning
