// Keeps the clients' faults in the register, so that a restart of the aggregator does not forget who is left out of
// cohorts, and learns which clients the operator has released (`hansa devices release`).
//
// The file is used on the executor's thread, so that a slow disk delays no message; at the start and at the end on the
// caller's. Without a register nothing is kept.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/time.h"
#include "common/utc.h"
#include "server/coordinator/config.h"
#include "server/engine/executor.h"
#include "server/register/device_history.h"

namespace hansa::server::internal {

class FaultKeeper {
 public:
  // Null: there is no register. on_error is called on the engine's thread, at most once.
  FaultKeeper(std::shared_ptr<DeviceHistory> history, Executor& executor,
              std::function<void(const std::string&)> on_error);

  // What an earlier process left.
  [[nodiscard]] std::vector<FaultRecord> read(UtcSeconds now);
  // Writes the faults if they have changed, and asks who was released; at most once a second. on_released is called on the
  // engine's thread, with at least one client.
  void exchange(const std::vector<FaultRecord>& current, Instant now, UtcSeconds time_of_day,
                std::function<void(std::vector<std::string>)> on_released);
  // Writes the faults on this thread. After the executor's last job.
  void finish(const std::vector<FaultRecord>& current, UtcSeconds time_of_day);

 private:
  using Standings = std::map<std::string, DeviceStanding>;
  [[nodiscard]] bool has_changed(const Standings& current) const;
  void report(const Error& error);

  std::shared_ptr<DeviceHistory> history_;
  Executor& executor_;
  std::function<void(const std::string&)> on_error_;
  Standings written_;
  Instant next_;
  bool is_working_ = false;
  bool has_reported_ = false;
};

}  // namespace hansa::server::internal
