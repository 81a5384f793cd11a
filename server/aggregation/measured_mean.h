// Computes the norm of a mean while an optimiser reads it, of the whole and of each layer, so that no further pass over the
// values is needed.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/aggregation/mean.h"

namespace hansa::server {

// The caller reads each value exactly once. The last bits of the norms depend on the order of the reads.
class MeasuredMean final : public Mean {
 public:
  // `whole` must outlive it. layer_sizes: the numbers of values of consecutive layers, which cover the mean; empty: only
  // the norm of the whole is computed.
  explicit MeasuredMean(const Mean& whole, std::span<const std::uint64_t> layer_sizes = {})
      : whole_(whole), squares_(std::max<std::size_t>(layer_sizes.size(), 1)) {
    std::uint64_t end = 0;
    for (const std::uint64_t size : layer_sizes) ends_.push_back(end += size);
    if (ends_.empty()) ends_.push_back(whole.elements());
    assert(ends_.back() == whole.elements());
  }
  [[nodiscard]] std::size_t elements() const override { return whole_.elements(); }
  void read(std::size_t first, std::span<double> out) const override {
    whole_.read(first, out);
    // An empty layer has the end of the one before, and is passed over.
    auto layer = static_cast<std::size_t>(std::ranges::upper_bound(ends_, first) - ends_.begin());
    for (std::size_t at = 0; at < out.size(); ++layer) {
      const std::size_t count = std::min<std::size_t>(out.size() - at, ends_[layer] - first - at);
      if (count == 0) continue;
      squares_[layer].fetch_add(sum_of_squares(out.subspan(at, count)), std::memory_order_relaxed);
      at += count;
    }
  }
  // Of the values that were read; the reading threads have been joined.
  [[nodiscard]] double norm() const {
    double sum = 0;
    for (const auto& squares : squares_) sum += squares.load(std::memory_order_relaxed);
    return std::sqrt(sum);
  }
  // One for each layer, in their order.
  [[nodiscard]] std::vector<double> layer_norms() const {
    std::vector<double> out;
    for (const auto& squares : squares_) out.push_back(std::sqrt(squares.load(std::memory_order_relaxed)));
    return out;
  }

 private:
  static double sum_of_squares(std::span<const double> values) {
    // Four sums, so that an addition does not wait for the one before it.
    std::array<double, 4> sums{};
    std::size_t i = 0;
    for (; i + sums.size() <= values.size(); i += sums.size())
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += values[i + j] * values[i + j];
    for (; i < values.size(); ++i) sums[0] += values[i] * values[i];
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  const Mean& whole_;
  std::vector<std::uint64_t> ends_;  // of the layers
  mutable std::vector<std::atomic<double>> squares_;
};

}  // namespace hansa::server
