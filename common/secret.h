// Secret bytes: wiped on destruction, copied only explicitly, never printed.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa {

// Overwrites memory in a way that the compiler does not optimise away.
void wipe(std::span<std::uint8_t> bytes) noexcept;

template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t size = N;

  Secret() = default;
  ~Secret() { wipe(bytes_); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] Secret copy() const {
    Secret out;
    out.bytes_ = bytes_;
    return out;
  }
  [[nodiscard]] std::span<std::uint8_t, N> bytes() { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t, N> bytes() const { return bytes_; }
  // In constant time: it does not depend on the bytes.
  friend bool operator==(const Secret& a, const Secret& b) noexcept {
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < N; ++i) difference |= static_cast<std::uint8_t>(a.bytes_[i] ^ b.bytes_[i]);
    return difference == 0;
  }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

using Secret32 = Secret<32>;  // a key or a seed

}  // namespace hansa
