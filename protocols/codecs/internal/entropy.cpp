#include "protocols/codecs/internal/entropy.h"

#include <string>

#include <zstd.h>

namespace hansa::codecs::internal {
namespace {

constexpr int level = 1;  // codes have no repetitions to look for: more effort finds nothing

}  // namespace

bool pack(std::span<std::byte> bytes, std::vector<std::byte>& packed) {
  bytes[0] = static_cast<std::byte>(Stored::plain);
  const std::size_t wanted = bytes.size() - bytes.size() / 16;
  packed.resize(wanted);
  if (wanted < 2) return false;
  packed[0] = static_cast<std::byte>(Stored::zstd);
  // Fails as soon as it becomes larger than what is wanted.
  const std::size_t size =
      ZSTD_compress(packed.data() + 1, packed.size() - 1, bytes.data() + 1, bytes.size() - 1, level);
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
  if (bytes[0] != static_cast<std::byte>(Stored::zstd)) return wrong("is stored in an unknown way");
  const unsigned long long size = ZSTD_getFrameContentSize(body.data(), body.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > bytes_max)
    return wrong("is packed and does not say its size, or is larger than an update can be");
  memory.resize(size);
  const std::size_t unpacked = ZSTD_decompress(memory.data(), memory.size(), body.data(), body.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != size) return wrong("is packed and cannot be unpacked");
  return std::span<const std::byte>(memory);
}

}  // namespace hansa::codecs::internal
