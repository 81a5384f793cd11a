#pragma once
#include <map>
#include <string>
#include <vector>

#include "server/coordinator/task_id.h"
#include "server/store/store.h"
#include "tests/simulation/world.h"

namespace hansa::testing {

// The mean of a secure sum of the counted clients of a round, which trained `trained`: the ring elements that they round
// their updates to. work: of their training. left_over: what each client keeps of its values for its next update. Returns an
// empty string if the record agrees.
[[nodiscard]] std::string sum_securely(const World& world, const server::RoundRecord& record,
                                       const server::Work& work, const std::vector<float>& trained,
                                       std::map<std::string, std::vector<float>>& left_over,
                                       std::vector<float>& mean);

}  // namespace hansa::testing
