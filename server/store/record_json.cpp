#include "server/store/record_json.h"

namespace hansa::server {

using Json = nlohmann::ordered_json;

Json secure_sum_json(const SecureSumRecord& secure) {
  return {{"neighbours", secure.neighbours},
          {"threshold", secure.threshold},
          {"with_keys", secure.with_keys},
          {"recovered", secure.recovered},
          {"value_bits", secure.value_bits},
          {"ring_bits", secure.ring_bits},
          {"clip", secure.clip},
          {"setup_seconds", secure.setup_seconds},
          {"unmask_seconds", secure.unmask_seconds}};
}

Json abandoned_json(const AbandonedAttempt& attempt) {
  return {{"round", attempt.round.value},
          {"attempt", attempt.attempt},
          {"at", attempt.at},
          {"cause", name(attempt.cause)},
          {"reason", attempt.reason}};
}

}  // namespace hansa::server
