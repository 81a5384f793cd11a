#include "server/coordinator/task_id.h"

#include "common/random.h"

namespace hansa::server {

TaskId make_task_id(std::uint64_t seed, std::string_view run, RoundId round, std::string_view client) {
  return TaskId(derive_seed(derive_seed(seed, "task of run", 0, run), "task", round.value, client));
}

}  // namespace hansa::server
