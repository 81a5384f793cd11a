// Reads and writes the fields of tokens and join messages: numbers little-endian, texts with their length in one byte.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hansa::enrolment::internal {

inline constexpr std::size_t text_bytes_max = 255;

class ByteWriter {
 public:
  void number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i) & 0xFF));
  }
  void bytes(std::span<const std::uint8_t> value) { out_.insert(out_.end(), value.begin(), value.end()); }
  void text(std::string_view value) {
    assert(value.size() <= text_bytes_max);
    number(value.size(), 1);
    out_.insert(out_.end(), value.begin(), value.end());
  }
  [[nodiscard]] std::vector<std::uint8_t>& out() { return out_; }

 private:
  std::vector<std::uint8_t> out_;
};

// After a read beyond the end, every further read gives zeros, and failed() is true.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  [[nodiscard]] std::uint64_t number(unsigned bytes) {
    const auto taken = take(bytes);
    std::uint64_t out = 0;
    for (std::size_t i = taken.size(); i > 0; --i) out = out << 8 | taken[i - 1];
    return out;
  }
  void bytes(std::span<std::uint8_t> out) {
    const auto taken = take(out.size());
    std::copy(taken.begin(), taken.end(), out.begin());
  }
  [[nodiscard]] std::string text() {
    const auto taken = take(static_cast<std::size_t>(number(1)));
    return {taken.begin(), taken.end()};
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::span<const std::uint8_t> take(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::span<const std::uint8_t> rest_;
  bool failed_ = false;
};

}  // namespace hansa::enrolment::internal
