#include "client/state/internal/sealed.h"

#include <cstring>

#include "common/digest.h"

namespace hansa::client {
namespace {

constexpr std::size_t seal_bytes = 16;

}  // namespace

void bind_value(SQLite::Statement& to, int index, const Sealed& value) {
  const Digest digest = sha256(value.bytes);
  std::vector<std::byte> out(seal_bytes + value.bytes.size());
  std::memcpy(out.data(), digest.bytes.data(), seal_bytes);
  if (!value.bytes.empty()) std::memcpy(out.data() + seal_bytes, value.bytes.data(), value.bytes.size());
  sqlite::bind_value(to, index, std::span<const std::byte>(out));
}

void read_value(const SQLite::Column& from, Unsealed& out) {
  const auto* data = static_cast<const std::byte*>(from.getBlob());
  const auto size = static_cast<std::size_t>(from.getBytes());
  if (size < seal_bytes) throw Damaged{"a value is cut"};
  const std::span<const std::byte> bytes(data + seal_bytes, size - seal_bytes);
  if (std::memcmp(sha256(bytes).bytes.data(), data, seal_bytes) != 0) throw Damaged{"a value has changed"};
  out.bytes.assign(bytes.begin(), bytes.end());
}

std::string Unsealed::text() const {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace hansa::client
