// `Round` of the HTTP API for a round that has just been committed, for the event stream.
#pragma once
#include <string>

#include "server/store/store.h"

namespace hansa::server {

// One line. The round has no evaluation yet.
[[nodiscard]] std::string round_json(const RoundRecord& record);

}  // namespace hansa::server
