// Receives the engine's reports, for logs, displays and evaluations.
#pragma once
#include <cstdint>
#include <string>

#include "common/identifiers.h"
#include "server/coordinator/effects.h"
#include "server/store/store.h"

namespace hansa::server {

// Called on the engine's thread.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  virtual void on_log(const Log& line) = 0;
  virtual void on_round_started(RoundId round, std::uint32_t cohort) = 0;
  virtual void on_committed(const RoundRecord& record) = 0;
};

}  // namespace hansa::server
