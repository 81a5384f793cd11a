#include "server/aggregation/masked_form.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "common/kernels/fold.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "protocols/secure_aggregation/sum_location.h"

namespace hansa::server {
namespace {

// One client of a sum can claim any weight and any value, and the masks hide which one did. Without these bounds a
// single sum could make the model useless for good.
Result<void> check_bounds(const secure_aggregation::SumOfClients& sums, std::span<const float> mean,
                          const SumBounds& bounds) {
  const auto number = [](double value) { return std::to_string(std::llround(std::min(value, 1e15))); };
  const auto implausible = [](std::string what) {
    return fail(ErrorCode::protocol, secure_aggregation::sum_location, std::move(what),
                "a client sends what is not an update; the attempt is repeated");
  };
  if (sums.weight < bounds.weight_min || sums.weight > bounds.weight_max)
    return implausible("has a total weight of " + number(sums.weight) +
                       " examples, which does not fit what its clients reported (" +
                       number(bounds.weight_min) + " to " + number(bounds.weight_max) + ")");
  if (kernels::first_outside(mean, bounds.magnitude_max) != mean.size())
    return implausible("has a mean with values that are not finite or above limits.magnitude_max");
  return {};
}

Metrics shown_metrics(const std::vector<secure_aggregation::SummedMetric>& sums,
                      std::uint32_t reporters_min) {
  Metrics out;
  for (const auto& [metric, reporters] : sums)
    if (reporters >= reporters_min) out.push_back(metric);
  return out;
}

}  // namespace

void MaskedForm::Values::read(std::size_t first, std::span<double> out) const {
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
}

Result<void> MaskedForm::begin(const RoundSetup& setup) {
  open_.drop_all();
  setup_ = std::get<MaskedSetup>(setup);
  std::vector<std::uint32_t> memory;
  if (sum_) memory = std::move(*sum_).release();
  sum_.emplace(setup_.context, setup_.clients, setup_.elements, setup_.ring_bits, std::move(memory));
  return {};
}

Result<CountedUpdate> MaskedForm::count(std::string_view client) {
  HANSA_TRY(const auto complete, open_.take(client));
  HANSA_TRY(const auto packed, complete.spool.whole(packed_));
  HANSA_TRY_VOID(sum_->add(complete.ticket.index, packed));
  return CountedUpdate{};
}

Result<Aggregate> MaskedForm::finish(const std::optional<SumOpening>& opening) {
  assert(opening && open_.empty());
  const secure_aggregation::SumSetup& setup = opening->setup;
  const secure_aggregation::Subset& survivors = opening->survivors;
  const SumBounds& bounds = opening->bounds;
  if (sum_->contributors() != survivors)
    return fail(ErrorCode::internal, "masked sum",
                "is not of the clients whose shares of secrets were collected");
  HANSA_TRY(const auto plain, sum_->unmask(opening->terms, workers_.threads()));
  mean_.values.resize(mean_.count);
  const auto clients = static_cast<std::uint32_t>(survivors.count());
  HANSA_TRY(const auto sums, secure_aggregation::dequantise(plain, clients, setup, mean_.values));
  HANSA_TRY_VOID(check_bounds(sums, mean_.values, bounds));
  const auto grid = secure_aggregation::choose_grid(setup.clients, value_bits_);
  const auto range = secure_aggregation::choose_range(sums, clients, grid.levels, setup);
  SumTotals totals{static_cast<std::uint64_t>(sums.weight),
                   shown_metrics(sums.metrics, bounds.reporters_min),
                   range.clip,
                   {}};
  for (const double scale : range.scales)
    totals.next_scales.push_back(scale * setup.quantisation.weight_unit);
  return Aggregate{mean_, std::move(totals)};
}

}  // namespace hansa::server
