// XXH3-128 (Collet, xxHash): detects corruption of bytes that were sent, spooled or computed twice, at memory speed.
//
// It is not a cryptographic hash: an attacker who chooses the bytes can produce two inputs with the same checksum. Data
// that must be protected against an attacker has a Digest (digest.h), which costs ten times as much. docs/protocol.md
// lists which data has a checksum and which a digest.
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
// The checksum of a flat vector's little-endian float32 bytes.
[[nodiscard]] Checksum checksum(std::span<const float> values);

// Incremental. Not thread-safe.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(RunningChecksum&&) noexcept;
  RunningChecksum& operator=(RunningChecksum&&) noexcept;
  void update(std::span<const std::byte> data);
  [[nodiscard]] Checksum value() const;  // the checksum of all bytes added so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hansa
