#include "server/coordinator/task_id.h"

#include "common/random.h"

namespace hansa::server {
namespace {

std::uint64_t number_of(const Work& work) { return std::uint64_t{work.opened} << 32 | work.round.value; }

}  // namespace

TaskId make_task_id(std::uint64_t seed, std::string_view run, const Work& work, std::string_view client) {
  return TaskId(derive_seed(derive_seed(seed, "task of run", 0, run), "task", number_of(work), client));
}

std::uint64_t round_seed(std::uint64_t seed, const Work& work) {
  return derive_seed(seed, "training of a round", number_of(work));
}

}  // namespace hansa::server
