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

}  // namespace hansa::server
