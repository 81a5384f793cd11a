#include "learning/data/internal/idx_stream.h"

#include <algorithm>
#include <array>
#include <string>

#include "learning/data/idx_file.h"

namespace hansa::learning::internal {
namespace {

std::vector<std::uint32_t> with_bytes_reversed(std::vector<std::uint32_t> dimensions) {
  for (std::uint32_t& dimension : dimensions) dimension = __builtin_bswap32(dimension);
  return dimensions;
}

// Fails if bytes follow the values that the header announces.
Result<void> expect_end(ByteStream& stream) {
  std::array<std::uint8_t, 1> byte{};
  HANSA_TRY(const std::size_t n, stream.read_some(byte));
  if (n != 0) return stream.bad("has more bytes than its header announces");
  return {};
}

}  // namespace

std::size_t bytes_of(IdxType type) {
  switch (type) {
    case IdxType::unsigned_byte:
    case IdxType::signed_byte: return 1;
    case IdxType::short_integer: return 2;
    case IdxType::integer:
    case IdxType::single_precision: return 4;
    case IdxType::double_precision: return 8;
  }
  return 8;
}

std::uint64_t idx_value_count(std::span<const std::uint32_t> dimensions) {
  std::uint64_t out = 1;
  for (const std::uint32_t dimension : dimensions) {
    if (dimension != 0 && out > idx_values_max / dimension) return idx_values_max + 1;
    out *= dimension;
  }
  return out;
}

Result<IdxHeader> read_idx_header(ByteStream& stream) {
  constexpr std::array<std::uint8_t, 6> types{0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E};
  std::array<std::uint8_t, 4> word{};
  HANSA_TRY_VOID(stream.read(word, "header"));
  if (word[0] != 0 || word[1] != 0 || std::ranges::find(types, word[2]) == types.end() || word[3] == 0)
    return stream.bad("is not an idx file", "name an idx file, plain or .gz");
  IdxHeader out{static_cast<IdxType>(word[2]), {}};
  for (std::size_t rank = word[3]; rank > 0; --rank) {
    HANSA_TRY_VOID(stream.read(word, "header"));
    out.dimensions.push_back(std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                             std::uint32_t{word[2]} << 8 | word[3]);
  }
  return out;
}

Result<std::vector<std::uint8_t>> read_idx_values(ByteStream& stream, IdxHeader& header,
                                                  std::uint64_t examples_max) {
  const std::uint64_t claimed = idx_value_count(header.dimensions);
  const bool is_reversed = idx_value_count(with_bytes_reversed(header.dimensions)) < claimed;
  const std::string hint = is_reversed ? "its dimensions may be little-endian: write them big-endian"
                                       : "fetch or copy the file again";
  if (claimed > idx_values_max / bytes_of(header.type))
    return stream.bad("claims to hold more than 4 GiB of values", hint);
  const bool whole = examples_max == 0 || examples_max >= header.dimensions[0];
  if (!whole) header.dimensions[0] = static_cast<std::uint32_t>(examples_max);
  const auto size = static_cast<std::size_t>(idx_value_count(header.dimensions) * bytes_of(header.type));
  // Memory grows as bytes are read, so that a header with false dimensions cannot make the reader allocate much.
  constexpr std::size_t step_min = 16U << 20;
  std::vector<std::uint8_t> out;
  while (out.size() < size) {
    const std::size_t done = out.size();
    out.resize(std::min(size, done + std::max(step_min, done)));
    auto read = stream.read(std::span(out).subspan(done), "values");
    if (!read && is_reversed) read.error().hint = hint;
    HANSA_TRY_VOID(std::move(read));
  }
  if (whole) HANSA_TRY_VOID(expect_end(stream));
  return out;
}

}  // namespace hansa::learning::internal
