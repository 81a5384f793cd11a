// Holds the vectors of another ledger in memory from task to task, so that a task does not wait until vectors of the
// size of a model are read from a disk and checked.
//
// Only what the last applied task asked for is held: the residual of a codec, the personal layers of one archive. The
// values share their memory with the changes that were applied (learning/kept_vectors.h). All else is asked of the
// other ledger: other scopes, what a repeated task must find, everything after a change that could not be applied.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "client/ledger/device_ledger.h"

namespace hansa::client {

class CachingLedger final : public DeviceLedger {
 public:
  // durable: must not change in any other way than through this object.
  explicit CachingLedger(std::shared_ptr<DeviceLedger> durable) : durable_(std::move(durable)) {}

  [[nodiscard]] Result<learning::KeptVectors> find(TaskId task, std::string_view scope) override;
  [[nodiscard]] Result<void> stage(const StagedChanges& changes) override;
  [[nodiscard]] Result<bool> apply(TaskId task) override;

 private:
  using Scopes = std::map<std::string, learning::KeptVectors, std::less<>>;

  std::shared_ptr<DeviceLedger> durable_;
  std::mutex mutex_;
  std::optional<TaskId> asking_;  // the task that called find() last
  Scopes found_;  // what it found since the last apply()
  std::optional<StagedChanges> staged_;  // by this object
  std::optional<TaskId> applied_;
  Scopes held_;  // what every task but `applied_` finds
};

}  // namespace hansa::client
