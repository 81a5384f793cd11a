#include "server/store/store.h"

namespace hansa::server {

const char* name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::counted: return "counted";
    case Outcome::no_answer: return "no_answer";
    case Outcome::disconnected: return "disconnected";
    case Outcome::declined: return "declined";
    case Outcome::rejected: return "rejected";
    case Outcome::late: return "late";
  }
  return "unknown";
}

const char* name(AbandonCause cause) noexcept {
  switch (cause) {
    case AbandonCause::unknown: break;
    case AbandonCause::cohort: return "cohort";
    case AbandonCause::updates: return "updates";
    case AbandonCause::opening: return "opening";
    case AbandonCause::refused_sum: return "refused_sum";
  }
  return "unknown";
}

AbandonCause abandon_cause_of(std::string_view name) noexcept {
  for (const AbandonCause cause :
       {AbandonCause::cohort, AbandonCause::updates, AbandonCause::opening, AbandonCause::refused_sum})
    if (name == server::name(cause)) return cause;
  return AbandonCause::unknown;
}

}  // namespace hansa::server
