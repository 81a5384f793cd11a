// The interface of a codec, which encodes and decodes the values of one segment.
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

// What a codec needs for one segment of one update, in addition to its values or bytes.
struct Context {
  Seeds seeds;  // the segment's seeds: see seeds_of
  float magnitude_max = 0;
  // The largest magnitude of values to encode. It is infinite if a residual was added to them.
  float input_max = magnitude_max;
  // The largest magnitude of decoded values. It is above magnitude_max, because rounding may enlarge a value.
  [[nodiscard]] float limit() const { return magnitude_max * 1.004F; }
};

// Derives a different seed for each index.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  return splitmix64(seed, index);
}

// The seeds of the segment with this index in the plan.
[[nodiscard]] constexpr Seeds seeds_of(const Seeds& update, std::uint64_t segment) {
  return {mix(update.update, segment), mix(update.cohort, segment), mix(update.rounding, segment)};
}

// Stateless and thread-safe.
class SegmentCodec {
 public:
  virtual ~SegmentCodec() = default;

  [[nodiscard]] virtual std::uint64_t encoded_bytes_max() const = 0;
  // The number of values of state that the codec keeps in addition to the residual of error feedback.
  [[nodiscard]] virtual std::uint64_t extra_state_values() const { return 0; }
  // Appends the segment's bytes to `out`. `values` are the segment's values including the residual. `state` and
  // `next_state` are the extra state before and after; an empty `state` means none yet. Returns false if a value is NaN
  // or its magnitude is above input_max.
  virtual bool encode(std::span<const float> values, std::span<const float> state,
                      std::span<float> next_state, const Context& context,
                      std::vector<std::byte>& out) const = 0;
  // The number of leading bytes that belong to the segment; empty if they are invalid.
  [[nodiscard]] virtual std::optional<std::size_t> check(std::span<const std::byte> bytes,
                                                         const Context& context) const = 0;
  // Like Update::is_seekable().
  [[nodiscard]] virtual bool is_seekable() const { return false; }
  // Like Update::fold() and accumulate() within the segment, for all blocks that begin in [first, last).
  virtual void fold(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                    std::uint64_t last, double factor, std::span<std::int64_t> sums) const = 0;
  virtual void accumulate(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                          std::uint64_t last, float sign, std::span<float> out) const = 0;
  // Like Update::squares() within the segment, for the same blocks.
  [[nodiscard]] virtual double squares(std::span<const std::byte> body, const Context& context,
                                       std::uint64_t first, std::uint64_t last) const = 0;
};

[[nodiscard]] std::unique_ptr<SegmentCodec> make_codec(const Segment& segment);

// A codec whose blocks are decoded one by one into a buffer that fits in the first-level cache.
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
  [[nodiscard]] double squares(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                               std::uint64_t last) const override;

 protected:
  // `values` is 1 to block_values; only the last block has fewer than block_values.
  [[nodiscard]] virtual std::size_t block_bytes(std::size_t values) const = 0;
  virtual void encode_block(std::span<const float> values, std::uint64_t block, const Context& context,
                            std::span<std::byte> out) const = 0;
  [[nodiscard]] virtual bool check_block(std::span<const std::byte> bytes, std::size_t values,
                                         const Context& context) const = 0;
  virtual void decode_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                            std::span<float> out) const = 0;
  // Adds a block to the sums. Override it if codes can be added without decoding them to float32 values.
  virtual void fold_block(std::span<const std::byte> bytes, std::uint64_t block, const Context& context,
                          double factor, std::span<std::int64_t> sums) const;
  // The sum of a block's squares. Override it if they can be computed from the codes.
  [[nodiscard]] virtual double block_squares(std::span<const std::byte> bytes, std::uint64_t block,
                                             const Context& context, std::size_t values) const;

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

// Read and write a number in a byte string: little-endian, unaligned.
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
