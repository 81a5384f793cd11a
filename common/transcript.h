// The bytes that are hashed, signed or authenticated: a label that names the use, followed by fields that have a fixed
// length or are preceded by their length, so that different contents have different bytes. Numbers are big-endian.
#pragma once
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/digest.h"

namespace hansa {

class Transcript {
 public:
  explicit Transcript(std::string_view label) { text(label); }

  Transcript& number(std::uint64_t value, unsigned bytes) {
    for (unsigned shift = 8 * bytes; shift > 0; shift -= 8)
      bytes_ += static_cast<char>(value >> (shift - 8) & 0xFF);
    return *this;
  }
  Transcript& real(double value) { return number(std::bit_cast<std::uint64_t>(value), 8); }
  Transcript& text(std::string_view value) {
    assert(value.size() < 65'536);
    number(value.size(), 2);
    bytes_ += value;
    return *this;
  }
  Transcript& bytes(std::span<const std::uint8_t> value) {
    bytes_.append(reinterpret_cast<const char*>(value.data()), value.size());
    return *this;
  }

  [[nodiscard]] std::string_view view() const { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t> span() const {
    return {reinterpret_cast<const std::uint8_t*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] Digest digest() const { return sha256(view()); }

 private:
  std::string bytes_;
};

}  // namespace hansa
