// Which update of each client was the last that counted, read from a run: RestoredState::counted.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "server/store/store.h"

namespace hansa::server::internal {

// The names of tasks are derived from these.
struct RunOfTasks {
  std::uint64_t seed = 0;
  const std::string& run;
  const std::vector<std::string>& clients;  // whose updates are looked for, sorted
};

// Looks at the newest rounds, as far as there are clients that were in none of them, and not at all of a long run: a
// client that was away for longer keeps nothing of its last update if it died before it knew that it counted.
[[nodiscard]] Result<std::map<std::string, std::vector<TaskId>, std::less<>>> read_last_counted(
    Store& store, RoundId last, const RunOfTasks& run);

}  // namespace hansa::server::internal
