// XXH3-128 (Collet, xxHash): tells whether bytes that travelled, were spooled or computed twice are the same, at the speed of
// memory. No cryptographic hash: who can choose the bytes can make two with one checksum. What must hold against such a one has a
// Digest (digest.h), which costs ten times as much: docs/protocol.md says what has which.
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hansa {

struct Checksum {
  std::array<std::uint8_t, 16> bytes{};  // in the canonical order: big-endian
  friend auto operator<=>(const Checksum&, const Checksum&) = default;
  [[nodiscard]] bool is_zero() const { return *this == Checksum{}; }
  [[nodiscard]] std::string text() const;  // "xxh3:" and 32 hex digits
};

[[nodiscard]] Checksum checksum(std::span<const std::byte> data);
[[nodiscard]] Checksum checksum(std::string_view text);
// Of a flat vector: of its little-endian float32 bytes.
[[nodiscard]] Checksum checksum(std::span<const float> values);

// Incremental. Not thread safe.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(RunningChecksum&&) noexcept;
  RunningChecksum& operator=(RunningChecksum&&) noexcept;
  void update(std::span<const std::byte> data);
  [[nodiscard]] Checksum value() const;  // of all so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hansa
