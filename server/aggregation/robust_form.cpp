#include "server/aggregation/robust_form.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>
#include <utility>

#include "protocols/codecs/seeds.h"
#include "server/aggregation/decode_update.h"

namespace hansa::server {
namespace {

double norm_of(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(squares);
}

}  // namespace

void RobustForm::Estimate::read(std::size_t first, std::span<double> out) const {
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
}

RobustForm::RobustForm(Encoding encoding, std::unique_ptr<RobustRule> rule, std::uint64_t memory_bytes_max,
                       WorkerPool& workers, SpoolPool& spools)
    : encoding_(std::move(encoding)),
      rule_(std::move(rule)),
      workers_(workers),
      open_(spools),
      kept_(encoding_.elements, spools.folder(), memory_bytes_max),
      estimate_(encoding_.elements) {}

Result<void> RobustForm::begin(const RoundSetup& setup) {
  open_.drop_all();
  kept_.clear();
  setup_ = std::get<PlainSetup>(setup);
  return {};
}

UpdateSizes RobustForm::sizes() const {
  return encoding_.plan ? encoded_update_sizes(*encoding_.plan) : float32_update_sizes(encoding_.elements);
}

Result<CountedUpdate> RobustForm::count(std::string_view client) {
  HANSA_TRY(const auto complete, open_.take(client));
  const UpdateTicket& ticket = complete.ticket;
  if (ticket.weight < 1 || ticket.weight > setup_.bounds.weight_max)
    return fail(ErrorCode::protocol, "update",
                "has the weight " + std::to_string(ticket.weight) + ", and 1 to " +
                    std::to_string(setup_.bounds.weight_max) + " is allowed");
  HANSA_TRY(const std::span<float> values, kept_.room());
  HANSA_TRY(const auto bytes, complete.spool.whole(read_));
  const codecs::Seeds seeds = codecs::update_seeds(ticket.task_seed, setup_.cohort_seed);
  HANSA_TRY_VOID(
      decode_update({encoding_.plan.get(), seeds, setup_.bounds.magnitude_max}, bytes, unpacked_, values));
  kept_.add(ticket.client, ticket.weight);
  return CountedUpdate{{norm_of(values)}};
}

void RobustForm::set_previous(std::span<const float> values) {
  std::ranges::copy(values, estimate_.values.begin());
}

Result<Aggregate> RobustForm::finish(const std::optional<SumOpening>&) {
  assert(open_.empty());
  if (kept_.count() < rule_->updates_min())
    return fail(ErrorCode::quorum, "strategy.aggregation",
                "needs " + std::to_string(rule_->updates_min()) + " updates, and the round has " +
                    std::to_string(kept_.count()),
                "raise cohort.quorum or cohort.clients_min");
  SumTotals totals;
  std::vector<RobustUpdate> updates;
  const std::vector<KeptUpdates::Update> sorted = kept_.sorted();
  for (const KeptUpdates::Update& update : sorted) {
    updates.push_back({update.weight, update.values});
    totals.examples += update.weight;
  }
  rule_->estimate(updates, workers_, estimate_.values);
  return Aggregate{estimate_, std::move(totals)};
}

}  // namespace hansa::server
