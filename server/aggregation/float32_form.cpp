#include "server/aggregation/float32_form.h"

#include <cassert>

#include "server/aggregation/internal/open_updates.h"

namespace hansa::server {

Result<void> Float32Form::begin(const RoundSetup& setup) {
  open_.clear();
  return sum_.begin(std::get<PlainSetup>(setup).bounds);
}

Result<void> Float32Form::open(const UpdateTicket& ticket) {
  assert(!open_.contains(ticket.client) && sizes().has(ticket.bytes));
  HANSA_TRY(auto spool, Spool::create(spools_, ticket.bytes));
  open_.try_emplace(ticket.client, ticket, std::move(spool), sum_, vectors_);
  return {};
}

Result<void> Float32Form::append(std::string_view client, std::span<const std::byte> bytes) {
  const auto found = open_.find(client);
  assert(found != open_.end());
  return found->second.update.append(bytes);
}

Result<CountedUpdate> Float32Form::count(std::string_view client) {
  const auto found = open_.find(client);
  assert(found != open_.end());
  auto& [ticket, update] = found->second;
  auto counted = internal::require_offered(update.spool(), ticket);
  if (counted) counted = update.count();
  CountedUpdate out{update.norms()};
  open_.erase(found);
  if (!counted) return tl::unexpected<Error>(std::move(counted).error());
  return out;
}

void Float32Form::drop(std::string_view client) {
  if (const auto found = open_.find(client); found != open_.end()) open_.erase(found);
}

Result<Aggregate> Float32Form::finish(const std::optional<SumOpening>&) {
  assert(open_.empty());  // updates that were not counted were removed from the sum
  return Aggregate{sum_, {.examples = sum_.total_weight(), .metrics = {}, .next_clip = 0, .next_scales = {}}};
}

}  // namespace hansa::server
