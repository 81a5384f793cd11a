#include "server/aggregation/encoded_form.h"

#include <cassert>

#include "protocols/codecs/seeds.h"

namespace hansa::server {

Result<void> EncodedForm::begin(const RoundSetup& setup) {
  open_.drop_all();
  counted_.forget();
  setup_ = std::get<PlainSetup>(setup);
  return sum_.begin(setup_.bounds);
}

Result<void> EncodedForm::open(const UpdateTicket& ticket) {
  assert(sizes().has(ticket.bytes));
  // Adding the waiting updates frees memory for the new one.
  if (!open_.has_room(ticket.bytes)) counted_.finish();
  return open_.open(ticket);
}

Result<CountedUpdate> EncodedForm::count(std::string_view client) {
  HANSA_TRY(auto complete, open_.take(client));
  const UpdateTicket& ticket = complete.ticket;
  HANSA_TRY(auto norms, counted_.add(*plan_, codecs::update_seeds(ticket.task_seed, setup_.cohort_seed),
                                     setup_.bounds.magnitude_max, std::move(complete.spool), ticket.weight));
  return CountedUpdate{std::move(norms)};
}

Result<Aggregate> EncodedForm::finish(const std::optional<SumOpening>&) {
  assert(open_.empty());
  counted_.finish();
  return Aggregate{sum_, {.examples = sum_.total_weight(), .metrics = {}, .next_clip = 0, .next_scales = {}}};
}

}  // namespace hansa::server
