// What a codec does with the values of one segment.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/splitmix64.h"
#include "protocols/codecs/plan.h"

namespace hansa::codecs::internal {

inline constexpr std::size_t block_values = Plan::block_values;

// Of one segment in one update.
struct Context {
  Seeds seeds;  // of the segment: mixed with its place
  float magnitude_max = 0;
  // Of values to encode: infinite where a residual was added to them.
  float input_max = magnitude_max;
  // Decoded values may be beyond it by this much: what rounding adds to a value at the limit.
  [[nodiscard]] float limit() const { return magnitude_max * 1.004F; }
};

// Another number for each place.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t place) {
  return splitmix64(seed, place);
}

// Of the segment at that place in the plan.
[[nodiscard]] constexpr Seeds seeds_of(const Seeds& update, std::uint64_t segment) {
  return {mix(update.update, segment), mix(update.cohort, segment), mix(update.rounding, segment)};
}

// Stateless; any threads.
class SegmentCodec {
 public:
  virtual ~SegmentCodec() = default;

  [[nodiscard]] virtual std::uint64_t encoded_bytes_max() const = 0;
  // Kept beside the residual of error feedback.
  [[nodiscard]] virtual std::uint64_t extra_state_values() const { return 0; }
  // Appends the segment's bytes. values: of the segment, residual included. extra state: before (empty: none yet), after. False if
  // a value is beyond input_max, or NaN.
  virtual bool encode(std::span<const float> values, std::span<const float> state,
                      std::span<float> next_state, const Context& context,
                      std::vector<std::byte>& out) const = 0;
  // How many of the bytes are the segment's; none if they are not sound.
  [[nodiscard]] virtual std::optional<std::size_t> check(std::span<const std::byte> bytes,
                                                         const Context& context) const = 0;
  // As Update's.
  [[nodiscard]] virtual bool is_seekable() const { return false; }
  // As Update::fold and accumulate, within the segment: all blocks that begin in [first, last).
  virtual void fold(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                    std::uint64_t last, double factor, std::span<std::int64_t> sums) const = 0;
  virtual void accumulate(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                          std::uint64_t last, float sign, std::span<float> out) const = 0;
};

[[nodiscard]] std::unique_ptr<SegmentCodec> make_codec(const Segment& segment);

// A codec whose blocks are decoded one by one, into a buffer that stays in the first-level cache.
class BlockCodec : public SegmentCodec {
 public:
  explicit BlockCodec(std::uint64_t values) : values_(values) {}

  [[nodiscard]] std::uint64_t encoded_bytes_max() const override;
  [[nodiscard]] bool is_seekable() const override { return true; }
  bool encode(std::span<const float> values, std::span<const float> state, std::span<float> next_state,
              const Context& context, std::vector<std::byte>& out) const override;
  [[nodiscard]] std::optional<std::size_t> check(std::span<const std::byte> bytes,
                                                 const Context& context) const override;
  void fold(std::span<const std::byte> body, const Context& context, std::uint64_t first, std::uint64_t last,
            double factor, std::span<std::int64_t> sums) const override;
  void accumulate(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                  std::uint64_t last, float sign, std::span<float> out) const override;

 protected:
  // `values` is 1 to block_values; only the last block has fewer than block_values.
  [[nodiscard]] virtual std::size_t block_bytes(std::size_t values) const = 0;
  virtual void encode_block(std::span<const float> values, std::uint64_t block, const Context& context,
                            std::span<std::byte> out) const = 0;
  [[nodiscard]] virtual bool check_block(std::span<const std::byte> bytes, std::size_t values,
                                         const Context& context) const = 0;
  virtual void decode_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                            std::span<float> out) const = 0;
  // For codecs that need no values to be added.
  virtual void fold_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                          double factor, std::span<std::int64_t> sums) const;

 private:
  struct Block {
    std::uint64_t number, first;
    std::size_t values;
    std::span<const std::byte> bytes;
  };
  template <class Visit>
  void visit_blocks(std::span<const std::byte> body, std::uint64_t first, std::uint64_t last,
                    const Visit& visit) const;

  std::uint64_t values_;
};

// Numbers in byte strings, little-endian and where they fall.
template <class Number>
[[nodiscard]] Number load(std::span<const std::byte> bytes, std::size_t at = 0) {
  Number out;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}
template <class Number>
void store(std::span<std::byte> bytes, std::size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

[[nodiscard]] inline std::span<const std::uint8_t> octets(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::span<std::uint8_t> octets(std::span<std::byte> bytes) {
  return {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace hansa::codecs::internal
