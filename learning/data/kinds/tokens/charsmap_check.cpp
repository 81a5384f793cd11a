#include "learning/data/kinds/tokens/charsmap_check.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace hansa::learning::kinds {
namespace {

// The fields of a serialised protocol buffer message, in order.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  // Moves to the next field. Returns false at the end, and if the message is damaged.
  bool next() {
    if (rest_.empty() || is_damaged_) return false;
    const std::uint64_t tag = varint();
    number_ = tag >> 3;
    bytes_ = {};
    switch (tag & 7) {
      case 0: varint(); break;
      case 1: take(8); break;
      case 2: bytes_ = take(varint()); break;
      case 5: take(4); break;
      default: is_damaged_ = true;
    }
    return !is_damaged_;
  }
  [[nodiscard]] bool is_damaged() const { return is_damaged_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }  // of a text, bytes or message

 private:
  std::uint64_t varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return out;
    }
    is_damaged_ = true;
    return 0;
  }
  std::string_view take(std::uint64_t size) {
    if (is_damaged_ || size > rest_.size()) {
      is_damaged_ = true;
      return {};
    }
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  std::string_view rest_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  bool is_damaged_ = false;
};

std::uint32_t little_endian(std::string_view bytes, std::size_t unit) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i)
    out |= std::uint32_t{static_cast<std::uint8_t>(bytes[4 * unit + i])} << (8 * i);
  return out;
}

// The table: the size of the trie in bytes, the trie, the replacements.
bool is_valid(std::string_view table) {
  if (table.empty()) return true;
  if (table.size() < 4) return false;
  const std::size_t trie_bytes = little_endian(table, 0);
  table.remove_prefix(4);
  // A child's position differs from its parent's base in the lowest 8 bits alone: in a trie of whole blocks of 256
  // units a base inside it is enough.
  constexpr std::size_t block_bytes = 256 * 4;
  if (trie_bytes == 0 || trie_bytes % block_bytes != 0 || trie_bytes >= table.size()) return false;
  const std::string_view replacements = table.substr(trie_bytes);
  if (replacements.back() != '\0') return false;
  for (std::size_t i = 0; i < trie_bytes / 4; ++i) {
    const std::uint32_t unit = little_endian(table, i);
    const bool is_leaf = (unit & 0x8000'0000U) != 0;
    if (is_leaf) {
      if ((unit & 0x7FFF'FFFFU) >= replacements.size()) return false;
    } else {
      const std::size_t offset = (unit >> 10) << ((unit & (1U << 9)) >> 6);
      if ((i ^ offset) >= trie_bytes / 4) return false;
    }
  }
  return true;
}

}  // namespace

bool has_valid_charsmap(std::string_view model) {
  constexpr std::uint64_t normalizer_spec = 3;
  constexpr std::uint64_t denormalizer_spec = 5;
  constexpr std::uint64_t precompiled_charsmap = 2;
  Fields message(model);
  while (message.next()) {
    if (message.number() != normalizer_spec && message.number() != denormalizer_spec) continue;
    Fields spec(message.bytes());
    while (spec.next())
      if (spec.number() == precompiled_charsmap && !is_valid(spec.bytes())) return false;
    if (spec.is_damaged()) return false;
  }
  return !message.is_damaged();
}

}  // namespace hansa::learning::kinds
