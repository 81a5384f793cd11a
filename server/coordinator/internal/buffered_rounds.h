// Buffered asynchronous aggregation: clients train continuously, and each K counted updates make a model (filling.h).
#pragma once
#include "server/coordinator/internal/round_mode.h"

namespace hansa::server {

class BufferedRounds final : public RoundMode {
 public:
  [[nodiscard]] std::unique_ptr<Stage> start(Shared& shared, const std::vector<std::string>& ready,
                                             std::uint32_t attempt, Turn& turn) override;
};

}  // namespace hansa::server
