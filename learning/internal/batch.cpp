#include "learning/internal/batch.h"

#include <system_error>

namespace hansa::learning {
namespace {

std::vector<std::int64_t> with_count(std::size_t count, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> out{static_cast<std::int64_t>(count)};
  out.insert(out.end(), shape.begin(), shape.end());
  return out;
}

at::ScalarType scalar_type_of(ElementType type) {
  switch (type) {
    case ElementType::float32: return at::kFloat;
    case ElementType::uint8: return at::kByte;
    case ElementType::int32: return at::kInt;
    case ElementType::int64: return at::kLong;
    case ElementType::boolean: return at::kBool;
  }
  return at::kFloat;
}

}  // namespace

BatchReader::BatchReader(const DataSource& source, std::size_t batch_size_max, MemoryOrder order)
    : source_(source) {
  const ExampleShape& shape = source.shape();
  for (std::size_t t = 0; t < shape.size(); ++t) {
    const TensorSpec& spec = shape[t];
    Part part;
    part.rows.resize((batch_size_max * spec.bytes() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    const bool is_image =
        t < shape.inputs.size() && spec.type == ElementType::float32 && spec.shape.size() == 3;
    if (source.decodes()) part.next_rows.resize(part.rows.size());
    if (is_image) part.order = order;
    if (part.order == MemoryOrder::channels_last && spec.shape[0] != 1)
      part.reordered = empty_in_order(with_count(batch_size_max, spec.shape), part.order);
    parts_.push_back(std::move(part));
  }
}

at::Tensor BatchReader::tensor_of(Part& part, const TensorSpec& spec, std::size_t examples) const {
  const std::vector<std::int64_t> sizes = with_count(examples, spec.shape);
  const at::ScalarType type = scalar_type_of(spec.type);
  if (part.reordered.defined()) {
    at::Tensor out = part.reordered.narrow(0, 0, sizes[0]);
    out.copy_(at::from_blob(part.rows.data(), sizes, type));
    return out;
  }
  // With one channel both memory orders have the same bytes, so only the strides must say channels last.
  if (part.order == MemoryOrder::channels_last)
    return at::from_blob(part.rows.data(), sizes, at::get_channels_last_strides_2d(sizes), type);
  return at::from_blob(part.rows.data(), sizes, type);
}

BatchReader::~BatchReader() {
  if (ahead_.valid()) ahead_.wait();
}

Result<void> BatchReader::read_rows(std::span<const std::uint32_t> indices, std::optional<std::uint64_t> seed,
                                    Rows Part::*rows) {
  std::vector<TensorBytes> bytes;
  for (std::size_t t = 0; t < parts_.size(); ++t)
    bytes.push_back(std::as_writable_bytes(std::span(parts_[t].*rows))
                        .first(indices.size() * source_.shape()[t].bytes()));
  return seed ? source_.read_augmented(indices, bytes, *seed) : source_.read(indices, bytes);
}

void BatchReader::prepare(std::span<const std::uint32_t> indices, std::optional<std::uint64_t> seed) {
  if (!source_.decodes() || indices.empty()) return;
  if (ahead_.valid()) ahead_.wait();
  ahead_indices_.assign(indices.begin(), indices.end());
  ahead_seed_ = seed;
  try {
    ahead_ = std::async(std::launch::async,
                        [this] { return read_rows(ahead_indices_, ahead_seed_, &Part::next_rows); });
  } catch (const std::system_error&) {
    ahead_ = {};  // the limits of the process allow no further thread: read() reads
  }
}

Result<Batch> BatchReader::read(std::span<const std::uint32_t> indices, std::optional<std::uint64_t> seed) {
  const ExampleShape& shape = source_.shape();
  std::optional<Result<void>> ahead;
  if (ahead_.valid()) ahead = ahead_.get();
  if (ahead && seed == ahead_seed_ && std::ranges::equal(indices, ahead_indices_)) {
    HANSA_TRY_VOID(*ahead);
    for (Part& part : parts_) std::swap(part.rows, part.next_rows);
  } else {
    HANSA_TRY_VOID(read_rows(indices, seed, &Part::rows));
  }
  Batch out{&shape, indices.size(), {}, {}};
  for (std::size_t t = 0; t < parts_.size(); ++t)
    (t < shape.inputs.size() ? out.inputs : out.targets)
        .push_back(tensor_of(parts_[t], shape[t], indices.size()));
  return out;
}

}  // namespace hansa::learning
