// A federation with too few clients: what it waits for is reported, and the wait may end the federation.
#pragma once
#include <cstddef>
#include <memory>

#include "common/time.h"
#include "server/coordinator/internal/stage.h"

namespace hansa::server {

class ClientWait {
 public:
  // Call it while too few clients are ready, with their number and since when. Reports it when a report is due. Returns
  // the end of the federation after cohort.wait_max, otherwise null.
  [[nodiscard]] std::unique_ptr<Stage> check(Shared& shared, std::size_t ready, Instant since, Turn& turn);

 private:
  Instant look_again_{};  // at what is missing, which takes as long as there are clients
};

}  // namespace hansa::server
