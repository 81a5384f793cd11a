#include "client/state/internal/sealed.h"

#include <cstring>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/digest.h"

namespace hansa::client {
namespace {

constexpr std::size_t seal_bytes = 16;

}  // namespace

std::vector<std::byte> sealed(std::span<const std::byte> bytes) {
  const Digest digest = sha256(bytes);
  std::vector<std::byte> out(seal_bytes + bytes.size());
  std::memcpy(out.data(), digest.bytes.data(), seal_bytes);
  if (!bytes.empty()) std::memcpy(out.data() + seal_bytes, bytes.data(), bytes.size());
  return out;
}

std::vector<std::byte> sealed(const std::string& text) { return sealed(std::as_bytes(std::span(text))); }

std::span<const std::byte> unsealed(const SQLite::Column& column) {
  const auto* data = static_cast<const std::byte*>(column.getBlob());
  const auto size = static_cast<std::size_t>(column.getBytes());
  if (size < seal_bytes) throw Damaged{"a value is cut"};
  const std::span<const std::byte> bytes(data + seal_bytes, size - seal_bytes);
  if (std::memcmp(sha256(bytes).bytes.data(), data, seal_bytes) != 0) throw Damaged{"a value has changed"};
  return bytes;
}

std::string unsealed_text(const SQLite::Column& column) {
  const auto bytes = unsealed(column);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void bind_bytes(SQLite::Statement& to, int index, std::span<const std::byte> bytes) {
  to.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace hansa::client
