// Computes the norm of a mean while an optimiser reads it, so that no further pass over the values is needed.
#pragma once
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <span>

#include "server/aggregation/mean.h"

namespace hansa::server {

// The caller reads each value exactly once. The last bits of the norm depend on the order of the reads.
class MeasuredMean final : public Mean {
 public:
  // `whole` must outlive it.
  explicit MeasuredMean(const Mean& whole) : whole_(whole) {}
  [[nodiscard]] std::size_t elements() const override { return whole_.elements(); }
  void read(std::size_t first, std::span<double> out) const override {
    whole_.read(first, out);
    // Four sums, so that an addition does not wait for the one before it.
    std::array<double, 4> sums{};
    std::size_t i = 0;
    for (; i + sums.size() <= out.size(); i += sums.size())
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += out[i + j] * out[i + j];
    for (; i < out.size(); ++i) sums[0] += out[i] * out[i];
    squares_.fetch_add((sums[0] + sums[1]) + (sums[2] + sums[3]), std::memory_order_relaxed);
  }
  // Of the values that were read; the reading threads have been joined.
  [[nodiscard]] double norm() const { return std::sqrt(squares_.load(std::memory_order_relaxed)); }

 private:
  const Mean& whole_;
  mutable std::atomic<double> squares_ = 0;
};

}  // namespace hansa::server
