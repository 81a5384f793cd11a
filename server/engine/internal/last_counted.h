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

// Reads the rounds from the newest one backwards, until each client is found or 32 rounds are read. A client of which
// the last counted update is older is not in the result.
[[nodiscard]] Result<std::map<std::string, std::vector<TaskId>, std::less<>>> read_last_counted(
    Store& store, RoundId last, const RunOfTasks& run);

}  // namespace hansa::server::internal
