// A mean times a factor.
#pragma once
#include <cstddef>
#include <span>

#include "server/aggregation/mean.h"

namespace hansa::server {

class ScaledMean final : public Mean {
 public:
  // `whole` must outlive it.
  explicit ScaledMean(const Mean& whole) : whole_(whole) {}
  void set_factor(double factor) { factor_ = factor; }

  [[nodiscard]] std::size_t elements() const override { return whole_.elements(); }
  void read(std::size_t first, std::span<double> out) const override {
    whole_.read(first, out);
    for (double& value : out) value *= factor_;
  }

 private:
  const Mean& whole_;
  double factor_ = 1;
};

}  // namespace hansa::server
