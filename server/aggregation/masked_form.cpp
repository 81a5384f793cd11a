#include "server/aggregation/masked_form.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server {

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

Result<void> MaskedForm::count(std::string_view client) {
  HANSA_TRY(const auto complete, open_.take(client));
  HANSA_TRY(const auto packed, complete.spool.whole(packed_));
  return sum_->add(complete.ticket.index, packed);
}

Result<Aggregate> MaskedForm::finish(const std::optional<SumOpening>& opening) {
  assert(opening && open_.empty());
  const auto& [setup, terms, survivors] = *opening;
  if (sum_->contributors() != survivors)
    return fail(ErrorCode::internal, "masked sum",
                "is not of the clients whose shares of secrets were collected");
  HANSA_TRY(const auto plain, sum_->unmask(terms, workers_.threads()));
  mean_.values.resize(mean_.count);
  const auto clients = static_cast<std::uint32_t>(survivors.count());
  HANSA_TRY(auto sums, secure_aggregation::dequantise(plain, clients, setup, mean_.values));
  const auto grid = secure_aggregation::choose_grid(setup.clients, value_bits_);
  const auto range = secure_aggregation::choose_range(sums, clients, grid.levels, setup);
  SumTotals totals{static_cast<std::uint64_t>(sums.weight), std::move(sums.metrics), range.clip, {}};
  for (const double scale : range.scales)
    totals.next_scales.push_back(scale * setup.quantisation.weight_unit);
  return Aggregate{mean_, std::move(totals)};
}

}  // namespace hansa::server
