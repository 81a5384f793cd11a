#include "protocols/codecs/internal/entropy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include <zstd.h>

namespace hansa::codecs::internal {
namespace {

constexpr int level = 1;  // codes contain no repetitions, so that higher levels find nothing more

// The zstd contexts are kept per thread.
struct Free {
  void operator()(ZSTD_CCtx* made) const noexcept { ZSTD_freeCCtx(made); }
  void operator()(ZSTD_DCtx* made) const noexcept { ZSTD_freeDCtx(made); }
};
ZSTD_CCtx* packer() {
  static thread_local const std::unique_ptr<ZSTD_CCtx, Free> kept(ZSTD_createCCtx());
  return kept.get();
}
ZSTD_DCtx* unpacker() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, Free> kept(ZSTD_createDCtx());
  return kept.get();
}

// Estimates from samples whether zstd would make the bytes smaller. Codes are not repetitive, so that the entropy of
// their bytes decides. The estimate costs a small part of a compression and mostly avoids one: codes of rotated values
// are nearly random.
bool looks_packable(std::span<const std::byte> bytes) {
  constexpr std::size_t part = 1024;
  constexpr std::size_t parts = 16;
  std::array<std::uint32_t, 256> counts{};
  std::size_t seen = 0;
  const std::size_t stride = std::max(part, bytes.size() / parts);
  for (std::size_t first = 0; first < bytes.size(); first += stride) {
    const auto sample = bytes.subspan(first, std::min(part, bytes.size() - first));
    for (const std::byte byte : sample) ++counts[std::to_integer<std::size_t>(byte)];
    seen += sample.size();
  }
  double bits = 0;
  for (const std::uint32_t count : counts)
    if (count > 0) bits += count * std::log2(static_cast<double>(seen) / count);
  return bits < 8 * static_cast<double>(seen) * 15 / 16;
}

}  // namespace

bool pack(std::span<const std::byte> bytes, std::vector<std::byte>& packed) {
  const std::size_t size_max = bytes.size() - bytes.size() / 16;
  if (size_max < 2 || !looks_packable(bytes.subspan(1)) || packer() == nullptr) return false;
  packed.resize(size_max);
  packed[0] = static_cast<std::byte>(Stored::zstd);
  // Fails as soon as the output exceeds size_max.
  const std::size_t size = ZSTD_compressCCtx(packer(), packed.data() + 1, packed.size() - 1, bytes.data() + 1,
                                             bytes.size() - 1, level);
  if (ZSTD_isError(size) != 0) return false;
  packed.resize(size + 1);
  return true;
}

Result<std::span<const std::byte>> unpack(std::span<const std::byte> bytes, std::uint64_t bytes_max,
                                          std::vector<std::byte>& memory) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::protocol, "update", what); };
  if (bytes.empty()) return wrong("is empty");
  const auto body = bytes.subspan(1);
  if (bytes[0] == static_cast<std::byte>(Stored::plain)) return body;
  if (bytes[0] != static_cast<std::byte>(Stored::zstd)) return wrong("is stored in an unknown form");
  const unsigned long long size = ZSTD_getFrameContentSize(body.data(), body.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > bytes_max)
    return wrong("is a zstd frame without a valid size, or larger than an update can be");
  memory.resize(size);
  if (unpacker() == nullptr)
    return fail(ErrorCode::resource, "update", "cannot be decompressed: out of memory");
  const std::size_t unpacked =
      ZSTD_decompressDCtx(unpacker(), memory.data(), memory.size(), body.data(), body.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != size)
    return wrong("is a zstd frame that cannot be decompressed");
  return std::span<const std::byte>(memory);
}

}  // namespace hansa::codecs::internal
