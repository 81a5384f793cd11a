// SCAFFOLD (Karimireddy et al., ICML 2020, algorithm 1) on the aggregator: c grows by the sum of the clients' changes of
// their control variates, divided by the number of all clients (line 17).
//
// Updates are weighted by examples, and the variates are not: a client divides the change of its variate by its examples,
// so that the weighted mean times the examples of the round is the sum of the changes. It multiplies it by the option
// "output_scale", about the examples of the smallest training, because the first secure sum of a run rounds all values to
// one grid: without it, the changes would be small against the deltas, and an error would stay in c.
#pragma once
#include "server/methods/server_method.h"

namespace hansa::server {

class Scaffold final : public ServerMethod {
 public:
  [[nodiscard]] double vector_factor(const RoundTotals& totals) const override {
    return totals.examples / (static_cast<double>(totals.clients) * totals.output_scale);
  }
};

}  // namespace hansa::server
