// The only place where a counted update changes what a device keeps.
//
// A task collects its changes in StagedChanges while it is trained, encoded and masked. The ledger stores them before
// anything of the update leaves the device, and applies them in one transaction when the aggregator has counted the
// update. If the task ends in any other way, nothing has changed; what is stored is replaced by the next task.
//
// A client that dies between the two learns from the aggregator that its update counts: an aggregator sends the Receipt
// of the last counted update again when a session begins, before any other task (docs/protocol.md).
//
// The aggregator may ask for the same task again after it counted the update, because it may have crashed before its
// commit. A client that still has the update offers it again. A client that was restarted no longer has it and trains
// again; it must not build on its own first result. Therefore a task finds the vectors and the examples from before its
// first apply(), and another apply() of the task replaces the changes of the first one. So the repeated training gives
// the same update, and changes the device as if it were the first. This holds for the last task that was applied, also
// after a restart; the rows that it replaced are deleted when another task is applied.
//
// A task is identified by its number, which is derived from the name and the seed of its run (docs/protocol.md), so
// that tasks of different runs have different numbers. A restarted client that declines tasks without new examples also
// declines the repeated task, because it has no new examples. The round then records it as declined.
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
  // Stores the changes durably, in place of those that were staged before; find() does not see them. Fails (storage,
  // resource) if they cannot be stored: those that were staged before may be gone then.
  [[nodiscard]] virtual Result<void> stage(const StagedChanges& changes) = 0;
  // Applies durably all that is staged for the task, or nothing. False: nothing is staged for it, so that another call has
  // no further effect. Fails (storage) if it cannot be stored.
  [[nodiscard]] virtual Result<bool> apply(TaskId task) = 0;
};

}  // namespace hansa::client
