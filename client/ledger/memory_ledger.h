// A ledger for clients without a state folder: vectors in memory, lost with the object. It holds no examples, so that
// data marks have no effect.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "client/ledger/device_ledger.h"

namespace hansa::client {

class MemoryLedger final : public DeviceLedger {
 public:
  [[nodiscard]] Result<learning::KeptVectors> find(TaskId task, std::string_view scope) override;
  [[nodiscard]] Result<void> stage(const StagedChanges& changes) override;
  [[nodiscard]] Result<bool> apply(TaskId task) override;

 private:
  std::mutex mutex_;
  learning::KeptVectors vectors_;
  std::optional<StagedChanges> staged_;
  std::optional<TaskId> last_;
  // The vectors that the last task replaced; empty: there was none of this name.
  std::map<std::string, std::optional<learning::KeptVector>> replaced_;
};

}  // namespace hansa::client
