#include "server/aggregation/masked_groups_form.h"

#include <cassert>
#include <utility>

#include "common/held_out_metrics.h"

namespace hansa::server {

std::shared_ptr<MaskedForm> MaskedGroupsForm::find(SumNumber sum) const {
  const std::lock_guard lock(mutex_);
  const auto found = sums_.find(sum);
  return found == sums_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<MaskedForm>> MaskedGroupsForm::form_of(std::string_view client) const {
  const auto open = open_.find(client);
  auto form = open == open_.end() ? nullptr : find(open->second);
  if (!form) return fail(ErrorCode::internal, "masked sum", "of this update was ended");
  return form;
}

Result<void> MaskedGroupsForm::begin(const RoundSetup& setup) {
  const SumNumber number = std::get<MaskedSetup>(setup).sum;
  auto form = std::make_shared<MaskedForm>(elements_, value_bits_, workers_, spools_);
  HANSA_TRY_VOID(form->begin(setup));
  const std::lock_guard lock(mutex_);
  [[maybe_unused]] const bool is_new = sums_.emplace(number, std::move(form)).second;
  assert(is_new);
  return {};
}

Result<void> MaskedGroupsForm::open(const UpdateTicket& ticket) {
  const auto form = find(ticket.sum);
  if (!form) return fail(ErrorCode::internal, "masked sum", "of this update was ended");
  open_.insert_or_assign(ticket.client, ticket.sum);
  return form->open(ticket);
}

Result<void> MaskedGroupsForm::append(std::string_view client, std::span<const std::byte> bytes) {
  HANSA_TRY(const auto form, form_of(client));
  return form->append(client, bytes);
}

Result<CountedUpdate> MaskedGroupsForm::count(std::string_view client) {
  HANSA_TRY(const auto form, form_of(client));
  open_.erase(open_.find(client));
  return form->count(client);
}

void MaskedGroupsForm::drop(std::string_view client) {
  const auto form = form_of(client);
  if (!form) return;
  open_.erase(open_.find(client));
  (*form)->drop(client);
}

void MaskedGroupsForm::drop_sum(SumNumber sum) {
  std::erase_if(open_, [&](const auto& open) { return open.second == sum; });
  const std::lock_guard lock(mutex_);
  sums_.erase(sum);
}

Result<Aggregate> MaskedGroupsForm::finish(const std::optional<SumOpening>& opening) {
  assert(opening);
  opened_number_ = opening->sum;
  opened_ = find(opening->sum);
  if (!opened_) return fail(ErrorCode::internal, "masked sum", "was ended before it was opened");
  auto aggregate = opened_->finish(opening);
  if (!aggregate) {
    opened_.reset();
    return tl::make_unexpected(std::move(aggregate).error());
  }
  mean_.emplace(aggregate->mean);
  mean_->set_factor(opening->weight);
  if (opening->staleness > 0)
    std::erase_if(aggregate->totals.metrics,
                  [](const Metric& metric) { return is_of_held_out(metric.name); });
  return Aggregate{*mean_, std::move(aggregate->totals)};
}

std::span<float> MaskedGroupsForm::scratch() { return opened_ ? opened_->scratch() : std::span<float>(); }

void MaskedGroupsForm::release() {
  mean_.reset();
  opened_.reset();
  const std::lock_guard lock(mutex_);
  sums_.erase(opened_number_);
}

}  // namespace hansa::server
