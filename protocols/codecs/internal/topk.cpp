// The values with the largest magnitudes of a segment: Strom, "Scalable Distributed DNN Training using Commodity GPU
// Cloud Computing" (2015); Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory" (NeurIPS 2018). With one bit, each
// value is decoded as its sign times a mean magnitude: Sattler et al., "Robust and Communication-Efficient Federated
// Learning from Non-IID Data" (2019).
//
// Encoded as [number of gap bytes, u32][gaps][blocks of values, as in uniform.h]. A gap is the number of values omitted
// before a selected one. Gaps are Rice codes (Rice 1979): the quotient by 2^r as that many ones and a zero, then the
// remainder in r bits, low bits first.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "protocols/codecs/internal/kinds.h"
#include "protocols/codecs/internal/uniform.h"

namespace hansa::codecs::internal {
namespace {

class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}
  void put(std::uint64_t bits, unsigned count) {  // at most 32
    held_ |= bits << held_bits_;
    for (held_bits_ += count; held_bits_ >= 8; held_bits_ -= 8, held_ >>= 8)
      out_.push_back(static_cast<std::byte>(held_ & 0xFF));
  }
  void finish() {
    if (held_bits_ > 0) out_.push_back(static_cast<std::byte>(held_ & 0xFF));
    held_bits_ = 0;
  }

 private:
  std::vector<std::byte>& out_;
  std::uint64_t held_ = 0;
  unsigned held_bits_ = 0;
};

// Reads zeros beyond the end; past_end() is true afterwards.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> from) : from_(from) {}
  [[nodiscard]] std::uint64_t rice(unsigned r) {
    std::uint64_t quotient = 0;
    for (;;) {
      fill();
      // The number of consecutive ones from the lowest bit.
      const auto ones = static_cast<unsigned>(std::countr_one(held_));
      if (ones < held_bits_) {
        drop(ones + 1);
        quotient += ones;
        break;
      }
      if (at_ == from_.size()) {
        past_end_ = true;
        return 0;
      }
      quotient += held_bits_;
      drop(held_bits_);
    }
    fill();
    if (held_bits_ < r) past_end_ = true;
    const std::uint64_t rest = held_ & ((std::uint64_t{1} << r) - 1);
    drop(std::min(r, held_bits_));
    return quotient << r | rest;
  }
  [[nodiscard]] bool past_end() const { return past_end_; }
  // True if every byte was reached and the remaining bits of the last one are zero.
  [[nodiscard]] bool at_end() const {
    return !past_end_ && at_ == from_.size() && held_bits_ < 8 && held_ == 0;
  }

 private:
  void fill() {
    while (held_bits_ <= 48 && at_ < from_.size()) {
      held_ |= static_cast<std::uint64_t>(from_[at_++]) << held_bits_;
      held_bits_ += 8;
    }
  }
  void drop(unsigned bits) {
    held_ >>= bits;
    held_bits_ -= bits;
  }
  std::span<const std::byte> from_;
  std::size_t at_ = 0;
  std::uint64_t held_ = 0;
  unsigned held_bits_ = 0;
  bool past_end_ = false;
};

std::uint32_t magnitude_bits(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFF; }

struct Threshold {
  std::uint32_t bits = 0;  // of the k-th largest magnitude
  std::uint64_t equal = 0;  // the number of values with exactly this magnitude among the k largest
};
Threshold find_threshold(std::span<const float> values, std::uint64_t k) {
  // A radix selection over the 31 bits in digits of 11, 10 and 10 bits, from the highest.
  std::uint32_t prefix = 0;
  unsigned known = 31;
  for (const unsigned width : {11U, 10U, 10U}) {
    std::array<std::uint64_t, 2048> counts{};
    const unsigned low = known - width;
    const std::uint32_t mask = (1U << width) - 1;
    for (const float value : values) {
      const std::uint32_t bits = magnitude_bits(value);
      if (bits >> known == prefix >> known) ++counts[bits >> low & mask];
    }
    std::uint32_t bin = mask;
    for (; counts[bin] < k; --bin) k -= counts[bin];
    prefix |= bin << low;
    known = low;
  }
  return {prefix, k};
}

class TopK final : public SegmentCodec {
 public:
  TopK(std::uint64_t values, double fraction, unsigned bits)
      : values_(values),
        k_(std::clamp<std::uint64_t>(
            static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(values))), 1, values)),
        bits_(bits) {
    // The best r for geometrically distributed gaps (Golomb 1966; Gallager, van Voorhis 1975).
    const double mean = static_cast<double>(values_ - k_) / static_cast<double>(k_);
    while (r_ < 31 && std::ldexp(1.0, static_cast<int>(r_) + 1) <= 0.6931 * mean + 1) ++r_;
  }

  std::uint64_t encoded_bytes_max() const override {
    const std::uint64_t gap_bits = k_ * (r_ + 1) + ((values_ - k_) >> r_);
    return sizeof(std::uint32_t) + gap_bits / 8 + 1 + value_bytes();
  }

  bool encode(std::span<const float> values, std::span<const float> /*state*/,
              std::span<float> /*next_state*/, const Context& context,
              std::vector<std::byte>& out) const override {
    const Threshold threshold = find_threshold(values, k_);
    const std::size_t start = out.size();
    out.resize(start + sizeof(std::uint32_t));
    std::vector<float> selected;
    selected.reserve(k_);
    BitWriter bits(out);
    std::uint64_t equal_left = threshold.equal;
    std::size_t next = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint32_t magnitude = magnitude_bits(values[i]);
      if (magnitude < threshold.bits) continue;
      if (magnitude == threshold.bits) {
        if (equal_left == 0) continue;
        --equal_left;
      }
      const std::uint64_t gap = i - next;
      for (std::uint64_t ones = gap >> r_; ones > 0;) {
        const auto count = static_cast<unsigned>(std::min<std::uint64_t>(ones, 32));
        bits.put((std::uint64_t{1} << count) - 1, count);
        ones -= count;
      }
      bits.put(0, 1);
      bits.put(gap & ((std::uint64_t{1} << r_) - 1), r_);
      selected.push_back(values[i]);
      next = i + 1;
    }
    bits.finish();
    store(std::span(out), start, static_cast<std::uint32_t>(out.size() - start - sizeof(std::uint32_t)));
    for (std::size_t first = 0; first < selected.size(); first += block_values) {
      const auto block =
          std::span<const float>(selected).subspan(first, std::min(block_values, selected.size() - first));
      const std::size_t at = out.size();
      out.resize(at + uniform_bytes(block.size(), bits_));
      encode_uniform(block, bits_, OneBit::sign, mix(context.seeds.rounding, first), context.magnitude_max,
                     std::span(out).subspan(at));
    }
    return true;
  }

  std::optional<std::size_t> check(std::span<const std::byte> bytes, const Context& context) const override {
    if (bytes.size() < sizeof(std::uint32_t)) return std::nullopt;
    const std::size_t gap_bytes = load<std::uint32_t>(bytes);
    const std::uint64_t value_bytes_all = value_bytes();
    if (bytes.size() - sizeof(std::uint32_t) < gap_bytes ||
        bytes.size() - sizeof(std::uint32_t) - gap_bytes < value_bytes_all)
      return std::nullopt;
    BitReader gaps(bytes.subspan(sizeof(std::uint32_t), gap_bytes));
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < k_; ++i) {
      const std::uint64_t gap = gaps.rice(r_);
      if (gaps.past_end() || gap >= values_ - next) return std::nullopt;
      next += gap + 1;
    }
    if (!gaps.at_end()) return std::nullopt;
    const std::size_t size = sizeof(std::uint32_t) + gap_bytes + static_cast<std::size_t>(value_bytes_all);
    bool valid = true;
    visit_values(bytes.first(size), [&](std::span<const std::byte> block, std::size_t count) {
      valid = valid && check_uniform(block, count, bits_, context.limit());
    });
    if (!valid) return std::nullopt;
    return size;
  }

  void fold(std::span<const std::byte> body, const Context& /*context*/, std::uint64_t first,
            std::uint64_t last, double factor, std::span<std::int64_t> sums) const override {
    visit(body, first, last, [&](std::uint64_t index, float value) {
      sums[index] += std::llrint(static_cast<double>(value) * factor);
    });
  }
  void accumulate(std::span<const std::byte> body, const Context& /*context*/, std::uint64_t first,
                  std::uint64_t last, float sign, std::span<float> out) const override {
    visit(body, first, last, [&](std::uint64_t index, float value) { out[index] += sign * value; });
  }
  double squares(std::span<const std::byte> body, const Context& /*context*/, std::uint64_t first,
                 std::uint64_t last) const override {
    double out = 0;
    if (first > 0 || last == 0) return out;  // as in visit()
    visit_values(body, [&](std::span<const std::byte> block, std::size_t count) {
      out += squares_of_uniform(block, bits_, count);
    });
    return out;
  }

 private:
  [[nodiscard]] std::uint64_t value_bytes() const {
    const std::size_t rest = k_ % block_values;
    return k_ / block_values * uniform_bytes(block_values, bits_) +
           (rest > 0 ? uniform_bytes(rest, bits_) : 0);
  }
  template <class Visit>
  void visit_values(std::span<const std::byte> body, const Visit& visit) const {
    std::size_t at = sizeof(std::uint32_t) + load<std::uint32_t>(body);
    for (std::uint64_t first = 0; first < k_; first += block_values) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(block_values, k_ - first));
      const std::size_t size = uniform_bytes(count, bits_);
      visit(body.subspan(at, size), count);
      at += size;
    }
  }
  // The indices can only be decoded from the start. So the call whose range contains the segment's first value visits
  // the whole segment, and the others visit nothing.
  template <class Visit>
  void visit(std::span<const std::byte> body, std::uint64_t first, std::uint64_t last,
             const Visit& visit) const {
    if (first > 0 || last == 0) return;
    BitReader gaps(body.subspan(sizeof(std::uint32_t), load<std::uint32_t>(body)));
    alignas(64) std::array<float, block_values> buffer;
    std::uint64_t next = 0;
    visit_values(body, [&](std::span<const std::byte> block, std::size_t count) {
      const auto values = std::span(buffer).first(count);
      decode_uniform(block, bits_, values);
      for (const float value : values) {
        next += gaps.rice(r_);
        visit(next++, value);
      }
    });
  }

  std::uint64_t values_;
  std::uint64_t k_;
  unsigned bits_;
  unsigned r_ = 0;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_topk(std::uint64_t values, double fraction, unsigned bits) {
  return std::make_unique<TopK>(values, fraction, bits);
}

}  // namespace hansa::codecs::internal
