// The one place where a counted update changes what a device keeps.
//
// A task collects its changes in StagedChanges while it is trained, encoded and masked. When the aggregator has counted
// the update, the ledger applies them in one transaction; when the task ends in any other way they are dropped, and
// nothing has changed.
//
// The aggregator may ask for the same task again after it counted the update, as it may have crashed before its
// commit. A client that still has the update offers it again. One that has not, as it was restarted, trains again, and
// must not build on its own first result: a task finds the vectors and the examples that were there before its first
// apply(), and another apply() of the task replaces what the first one changed. So the repeated training gives the same
// update, and changes the device as if it were the first. This holds for the last task that was applied, also after a
// restart; the rows that it replaced are deleted when another task is applied.
//
// A task is known by its number, which is derived from the name and the seed of its run (docs/protocol.md), so that
// tasks of different runs have different numbers. A client that declines tasks without new examples declines a
// repeated one as well after a restart, as it has none: the round then counts it as declined.
//
// What the device does not know it does not apply: if the client dies after the aggregator counted an update and before
// the receipt arrived, and the aggregator does not ask for the task again, the changes are lost and the examples stay
// new.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/identifiers.h"
#include "learning/kept_vectors.h"

namespace hansa::client {

struct StagedChanges {
  TaskId task;
  std::uint64_t seed = 0;  // the task's: the reservoir's choices are derived from it
  std::uint64_t data_mark = 0;  // TrainingResult::data_mark: examples up to it are no longer new
  learning::KeptVectors vectors;  // by full name: SCOPE/NAME
};

// Any thread may call.
class DeviceLedger {
 public:
  virtual ~DeviceLedger() = default;

  // The vectors whose full names are SCOPE/NAME, by NAME, as `task` must find them. Fails (storage) if they cannot be
  // read.
  [[nodiscard]] virtual Result<learning::KeptVectors> find(TaskId task, std::string_view scope) = 0;
  // Makes all the changes, durably, or none. Applying the same changes twice is applying them once. Fails (storage,
  // resource) if they cannot be stored.
  [[nodiscard]] virtual Result<void> apply(const StagedChanges& changes) = 0;
};

}  // namespace hansa::client
