// Decodes the bytes of an update: all of them are checked first, then values are added without a decoded copy of the
// vector.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/checksum.h"
#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// An update that Encoder wrote. Decoding is deterministic: the same bytes give the same bits on every machine.
class Update {
 public:
  // Fails with `protocol` if the bytes are not an update of the plan, or decode to a value that is not finite or beyond
  // magnitude_max (rotated and lowrank values are clamped to it instead). `unpacked` receives the content of a zstd
  // frame. It, `bytes` and `plan` must outlive the update.
  [[nodiscard]] static Result<Update> read(const Plan& plan, const Seeds& seeds, float magnitude_max,
                                           std::span<const std::byte> bytes,
                                           std::vector<std::byte>& unpacked);

  [[nodiscard]] std::uint64_t values() const { return plan_->values(); }
  // True if decoding a range costs only that range. Otherwise the values before it are decoded as well.
  [[nodiscard]] bool is_seekable() const { return seekable_; }
  // sums[i] += round_half_even(value_i * factor) for the values of all blocks that begin in [first, last). `sums` has
  // values() elements. The factor is that of kernels::add_scaled. Several threads may call this concurrently with
  // ranges that do not overlap.
  void fold(std::uint64_t first, std::uint64_t last, double factor, std::span<std::int64_t> sums) const;
  // out[i] += sign * value_i as float32, for the same values.
  void accumulate(std::uint64_t first, std::uint64_t last, float sign, std::span<float> out) const;
  // The sum of the squares of the same values, without decoding them where their codes suffice. Of rotated values it
  // may be too high: those that decoding clamps to magnitude_max, and the padding of a segment's last block.
  [[nodiscard]] double squares(std::uint64_t first, std::uint64_t last) const;
  // Like the other accumulate() for all values with sign 1. Returns the checksum of `out` afterwards, computed while the
  // values are in the caches.
  [[nodiscard]] Checksum accumulate(std::span<float> out) const;

 private:
  Update(const Plan& plan, const Seeds& seeds, float magnitude_max)
      : plan_(&plan), seeds_(seeds), magnitude_max_(magnitude_max) {}

  // Calls visit(part, index, begin, end) for each segment that overlaps [first, last). `index` is the segment's index
  // in the plan; [begin, end) is the overlap, relative to the segment's start.
  template <class Visit>
  void visit_segments(std::uint64_t first, std::uint64_t last, const Visit& visit) const;

  const Plan* plan_;
  Seeds seeds_;
  float magnitude_max_;
  bool seekable_ = true;
  std::vector<std::span<const std::byte>> bodies_;  // the bytes of each segment
};

}  // namespace hansa::codecs
