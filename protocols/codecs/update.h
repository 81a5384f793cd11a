// Bytes back to values: checked whole before one of them counts, then added without a copy of the vector.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/checksum.h"
#include "protocols/codecs/plan.h"

namespace hansa::codecs {

// What Encoder wrote. Reading is deterministic: the same bytes give the same bits on every machine.
class Update {
 public:
  // Fails (protocol) on bytes that are no update of the plan, or that decode to a value that is not finite or beyond
  // magnitude_max (rotated and lowrank values are held within it instead). unpacked: memory for the bytes of a zstd frame; it,
  // bytes and plan outlive the update.
  [[nodiscard]] static Result<Update> read(const Plan& plan, const Seeds& seeds, float magnitude_max,
                                           std::span<const std::byte> bytes,
                                           std::vector<std::byte>& unpacked);

  [[nodiscard]] std::uint64_t values() const { return plan_->values(); }
  // A part of it is decoded for the cost of that part; else what lies before it is read as well.
  [[nodiscard]] bool is_seekable() const { return seekable_; }
  // sums[i] += round_half_even(value_i * factor), for the values of all blocks that begin in [first, last). sums is of
  // values(). factor as in kernels::add_scaled. Threads may share an update, with ranges that do not overlap.
  void fold(std::uint64_t first, std::uint64_t last, double factor, std::span<std::int64_t> sums) const;
  // out[i] += sign * value_i as float32, for the same values.
  void accumulate(std::uint64_t first, std::uint64_t last, float sign, std::span<float> out) const;
  // The same for all values, with sign 1. Returns what out is then: its checksum, taken while it lies in the caches.
  [[nodiscard]] Checksum accumulate(std::span<float> out) const;

 private:
  Update(const Plan& plan, const Seeds& seeds, float magnitude_max)
      : plan_(&plan), seeds_(seeds), magnitude_max_(magnitude_max) {}

  // visit(part, its place in the plan, from, to): what of [first, last) lies in each segment, counted from its start.
  template <class Visit>
  void visit_segments(std::uint64_t first, std::uint64_t last, const Visit& visit) const;

  const Plan* plan_;
  Seeds seeds_;
  float magnitude_max_;
  bool seekable_ = true;
  std::vector<std::span<const std::byte>> bodies_;  // of each segment
};

}  // namespace hansa::codecs
