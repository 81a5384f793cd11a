#include "server/aggregation/buffered_form.h"

#include <cassert>
#include <cmath>

#include "common/kernels/vectors.h"
#include "protocols/codecs/seeds.h"
#include "protocols/codecs/update.h"

namespace hansa::server {
namespace {

Result<void> check_norm(double norm, double norm_max) {
  if (norm <= norm_max) return {};
  return fail(ErrorCode::protocol, "update",
              "has a norm of " + std::to_string(norm) + ", and the last updates allow " +
                  std::to_string(norm_max) + " (limits.norm_ratio_max)");
}

}  // namespace

BufferedForm::BufferedForm(std::size_t elements, std::shared_ptr<const codecs::Plan> plan,
                           WorkerPool& workers, SpoolPool& spools)
    : plan_(std::move(plan)), open_(spools), sum_(elements, workers) {}

Result<void> BufferedForm::begin(const RoundSetup& setup) {
  setup_ = std::get<PlainSetup>(setup);
  full_weight_ = 0;
  terms_.clear();
  return sum_.begin(setup_.bounds);
}

UpdateSizes BufferedForm::sizes() const {
  return plan_ ? encoded_update_sizes(*plan_) : float32_update_sizes(sum_.elements());
}

void BufferedForm::amend(std::string_view client, const CountTerms& terms) {
  terms_.insert_or_assign(std::string(client), terms);
}

Result<CountedUpdate> BufferedForm::count(std::string_view client) {
  const auto found = terms_.find(client);
  assert(found != terms_.end());
  const CountTerms terms = found->second;
  terms_.erase(found);
  HANSA_TRY(const auto complete, open_.take(client));
  HANSA_TRY_VOID(sum_.check_weight(terms.weight));
  HANSA_TRY(const double norm, add(complete, terms));
  sum_.count_update(terms.weight);
  full_weight_ += terms.full_weight;
  return CountedUpdate{{norm}};
}

Result<double> BufferedForm::add(const internal::OpenUpdates::Open& update, const CountTerms& terms) {
  return plan_ ? add_encoded(update, terms) : add_float32(update.spool, terms);
}

Result<double> BufferedForm::add_encoded(const internal::OpenUpdates::Open& update, const CountTerms& terms) {
  const UpdateTicket& ticket = update.ticket;
  HANSA_TRY(const auto bytes, update.spool.whole(read_));
  const codecs::Seeds seeds =
      codecs::update_seeds(ticket.task_seed, ticket.cohort_seed.value_or(setup_.cohort_seed));
  HANSA_TRY(const auto decoded,
            codecs::Update::read(*plan_, seeds, setup_.bounds.magnitude_max, bytes, unpacked_));
  const double norm = sum_.norms_of(decoded, 1).front();
  HANSA_TRY_VOID(check_norm(norm, terms.norm_max));
  const WeightedUpdate weighted{&decoded, terms.weight};
  sum_.add({&weighted, 1});
  return norm;
}

// All values are checked before the first one is added.
Result<double> BufferedForm::add_float32(const Spool& spool, const CountTerms& terms) {
  double squares = 0;
  HANSA_TRY_VOID(spool.visit([&](std::span<const float> values, std::size_t first) -> Result<void> {
    squares += kernels::sum_of_squares(values);
    return sum_.check(values, first);
  }));
  const double norm = std::sqrt(squares);
  HANSA_TRY_VOID(check_norm(norm, terms.norm_max));
  HANSA_TRY_VOID(spool.visit([&](std::span<const float> values, std::size_t first) {
    return sum_.add(values, first, terms.weight);
  }));
  return norm;
}

Result<Aggregate> BufferedForm::finish(const std::optional<SumOpening>&) {
  mean_.set_factor(static_cast<double>(sum_.total_weight()) / static_cast<double>(full_weight_));
  return Aggregate{mean_, {.examples = full_weight_, .metrics = {}, .next_clip = 0, .next_scales = {}}};
}

}  // namespace hansa::server
