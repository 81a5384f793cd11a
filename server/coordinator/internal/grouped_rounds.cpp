#include "server/coordinator/internal/grouped_rounds.h"

#include "server/coordinator/internal/grouped_stage.h"

namespace hansa::server {

std::unique_ptr<Stage> GroupedRounds::start(Shared& shared, const std::vector<std::string>&, std::uint32_t,
                                            Turn& turn) {
  shared.uploads.drop_all(turn);
  return std::make_unique<GroupedStage>(shared, turn);
}

}  // namespace hansa::server
