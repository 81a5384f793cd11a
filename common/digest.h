// SHA-256 digests (FIPS 180-4, computed by OpenSSL). They name archives, layouts and models (vector_digest.h).
#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Digest&, const Digest&) = default;

  [[nodiscard]] std::string hex() const;  // 64 lower-case hex digits
  [[nodiscard]] std::string text() const;  // "sha256:" + hex()
  [[nodiscard]] std::string brief() const { return hex().substr(0, 12); }
  [[nodiscard]] bool is_zero() const;
};

// Accepts 64 hex digits, with or without the prefix "sha256:".
[[nodiscard]] Result<Digest> parse_digest(std::string_view text);

[[nodiscard]] Digest sha256(std::span<const std::byte> data);
[[nodiscard]] Digest sha256(std::string_view text);

// Incremental SHA-256. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> data);
  // Returns the digest of all bytes added since the start or the last finish(), and resets.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hansa

template <>
struct std::hash<hansa::Digest> {
  std::size_t operator()(const hansa::Digest& d) const noexcept {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = (out << 8) | d.bytes[i];
    return out;
  }
};
