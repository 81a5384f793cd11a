// How many of the selected clients do not contribute, and how many to select so that the wanted number is left (over-selection:
// Bonawitz et al., "Towards Federated Learning at Scale", SysML 2019, section 3). Pure; one thread.
#pragma once
#include <cstdint>

namespace hansa::server {

class DropRate {
 public:
  // After a round, or an attempt that failed: how many clients were selected, and how many updates came.
  void on_attempt(std::uint32_t selected, std::uint32_t counted);
  // The fraction of selected clients whose update did not come; older rounds count less. 0 before the first round, at most 1.
  [[nodiscard]] double rate() const { return selected_ > 0 ? dropped_ / selected_ : 0; }
  // wanted / (1 - rate()), rounded up; at most twice `wanted`, so that an outage of many does not occupy all others.
  [[nodiscard]] std::uint32_t with_spares(std::uint32_t wanted) const;

 private:
  double selected_ = 0, dropped_ = 0;  // sums that decay
};

}  // namespace hansa::server
