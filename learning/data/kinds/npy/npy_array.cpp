#include "learning/data/kinds/npy/npy_array.h"

#include <cstring>
#include <utility>
#include <vector>

namespace hansa::learning::kinds {
namespace {

// The first `count` examples of an array in Fortran order, in C order. Reads the values in the order in which they are
// stored.
std::vector<std::byte> in_c_order(std::span<const std::byte> values, const ArraySpec& spec,
                                  std::uint64_t count) {
  const std::size_t size = bytes_of(spec.type);
  const std::uint64_t example_bytes = spec.example_bytes();
  std::vector<std::byte> out(static_cast<std::size_t>(count * example_bytes));
  // The position within an example, and its distance from the example's begin in C order.
  std::vector<std::uint64_t> position(spec.shape.size(), 0);
  std::vector<std::uint64_t> stride(spec.shape.size(), size);
  for (std::size_t d = spec.shape.size() - 1; d > 1; --d) stride[d - 1] = stride[d] * spec.shape[d];
  std::uint64_t to = 0;
  for (std::uint64_t begin = 0; begin < values.size(); begin += spec.shape[0] * size) {
    for (std::uint64_t example = 0; example < count; ++example)
      std::memcpy(out.data() + example * example_bytes + to, values.data() + begin + example * size, size);
    for (std::size_t d = 1; d < spec.shape.size(); ++d) {
      to += stride[d];
      if (++position[d] < spec.shape[d]) break;
      to -= stride[d] * spec.shape[d];
      position[d] = 0;
    }
  }
  return out;
}

}  // namespace

Result<Array> npy_array(ArraySpec spec, const NpyHeader& header, std::span<const std::byte> values,
                        std::shared_ptr<const ArrayMemory> memory, std::uint64_t count,
                        const std::string& location) {
  Array out{std::move(spec), header.byte_order, values, std::move(memory)};
  if (header.order == ValueOrder::c || out.spec.shape.size() == 1) return out;
  if (count > held_bytes_max / out.spec.example_bytes())
    return fail(ErrorCode::data, location, "has an array in Fortran order of more than 4 GiB",
                "save it in C order: numpy.save(file, numpy.ascontiguousarray(a)), or set data.examples_max",
                {ReasonCode::data_too_large, {}});
  auto held = std::make_shared<const HeldValues>(in_c_order(values, out.spec, count));
  out.values = held->bytes();
  out.memory = std::move(held);
  return out;
}

}  // namespace hansa::learning::kinds
