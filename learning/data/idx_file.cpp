#include "learning/data/idx_file.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "common/files.h"
#include "learning/data/internal/byte_stream.h"

namespace hansa::learning {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;

// Fails if bytes follow the values that the header announces.
Result<void> expect_end(internal::ByteStream& stream) {
  std::array<std::uint8_t, 1> byte{};
  HANSA_TRY(const std::size_t n, stream.read_some(byte));
  if (n != 0) return stream.bad("has more bytes than its header announces");
  return {};
}

std::uint64_t product(std::span<const std::uint32_t> dimensions) {
  std::uint64_t out = 1;
  for (const std::uint32_t dimension : dimensions) {
    if (dimension != 0 && out > idx_values_max / dimension) return idx_values_max + 1;
    out *= dimension;
  }
  return out;
}

}  // namespace

std::size_t IdxArray::example_size() const {
  if (dimensions.empty()) return 0;
  return static_cast<std::size_t>(product(std::span(dimensions).subspan(1)));
}

std::span<const std::uint8_t> IdxArray::example(std::size_t index) const {
  assert(index < example_count());
  return std::span(values).subspan(index * example_size(), example_size());
}

Result<IdxArray> read_idx(const std::filesystem::path& path, std::size_t rank, std::uint64_t examples_max) {
  HANSA_TRY(internal::ByteStream stream,
            internal::ByteStream::open(path,
                                       "name an idx file, plain or .gz; Fashion-MNIST is in Debian's package "
                                       "dataset-fashion-mnist"));
  std::array<std::uint8_t, 4> word{};
  HANSA_TRY_VOID(stream.read(word, "header"));
  if (word[0] != 0 || word[1] != 0) return stream.bad("is not an idx file", "name an idx file, plain or .gz");
  if (word[2] != unsigned_byte)
    return stream.bad("holds values that are not unsigned bytes", "name an idx file of bytes (type 0x08)");
  if (word[3] != rank)
    return stream.bad("has " + std::to_string(word[3]) + " dimensions, but needs " + std::to_string(rank),
                      "images are idx3 files, labels idx1; the two may be swapped");

  IdxArray out;
  for (std::size_t i = 0; i < rank; ++i) {
    HANSA_TRY_VOID(stream.read(word, "header"));
    out.dimensions.push_back(std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                             std::uint32_t{word[2]} << 8 | word[3]);
  }
  if (product(out.dimensions) > idx_values_max) return stream.bad("claims to hold more than 4 GiB of values");
  const bool whole = examples_max == 0 || examples_max >= out.dimensions[0];
  if (!whole) out.dimensions[0] = static_cast<std::uint32_t>(examples_max);
  const auto size = static_cast<std::size_t>(product(out.dimensions));
  // Memory grows as bytes are read, so that a header with false dimensions cannot make the reader allocate much.
  constexpr std::size_t step_min = 16U << 20;
  while (out.values.size() < size) {
    const std::size_t done = out.values.size();
    out.values.resize(std::min(size, done + std::max(step_min, done)));
    HANSA_TRY_VOID(stream.read(std::span(out.values).subspan(done), "values"));
  }
  if (whole) HANSA_TRY_VOID(expect_end(stream));
  return out;
}

Result<IdxPair> read_idx_pair(const IdxPairFiles& files, std::uint64_t examples_max) {
  IdxPair out;
  HANSA_TRY(out.images, read_idx(files.images, 3, examples_max));
  HANSA_TRY(out.labels, read_idx(files.labels, 1, examples_max));
  if (out.images.example_count() != out.labels.example_count())
    return fail(ErrorCode::data, files.labels.string(),
                "has " + std::to_string(out.labels.example_count()) + " labels for " +
                    std::to_string(out.images.example_count()) + " images in " + files.images.string(),
                "set data.labels to the labels of these images", {ReasonCode::data_damaged, {}});
  return out;
}

Result<void> write_idx(const std::filesystem::path& path, const IdxArray& array) {
  assert(product(array.dimensions) == array.values.size());
  std::vector<std::byte> bytes;
  bytes.reserve(4 + 4 * array.dimensions.size() + array.values.size());
  for (const std::uint8_t value :
       {std::uint8_t{0}, std::uint8_t{0}, unsigned_byte, static_cast<std::uint8_t>(array.dimensions.size())})
    bytes.push_back(std::byte{value});
  for (const std::uint32_t dimension : array.dimensions)
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(dimension >> shift & 0xff));
  const auto values = std::as_bytes(std::span(array.values));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return write_file_atomically(path, bytes);
}

}  // namespace hansa::learning
