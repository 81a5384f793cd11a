#include "server/coordinator/internal/buffered_rounds.h"

#include "server/coordinator/internal/filling.h"

namespace hansa::server {

std::unique_ptr<Stage> BufferedRounds::start(Shared& shared, const std::vector<std::string>&, std::uint32_t,
                                             Turn& turn) {
  shared.uploads.drop_all(turn);
  auto state = std::make_unique<BufferedState>(RoundId(shared.standing.last_committed.value + 1));
  state->served.add(shared.standing.published);
  return std::make_unique<Filling>(shared, std::move(state), turn);
}

}  // namespace hansa::server
