// An update counts at once: its changes are staged and applied.
#pragma once
#include "client/ledger/device_ledger.h"
#include "client/state/state_ledger.h"

namespace hansa::client::testing {

inline Result<void> count(DeviceLedger& ledger, const StagedChanges& changes) {
  HANSA_TRY_VOID(ledger.stage(changes));
  HANSA_TRY(const bool applied, ledger.apply(changes.task));
  if (!applied) return fail(ErrorCode::internal, "ledger", "has not staged the changes");
  return {};
}

inline Result<void> count(StateStore& store, const StagedChanges& changes, const ApplyOptions& options) {
  HANSA_TRY_VOID(store.stage(changes, options));
  HANSA_TRY(const bool applied, store.apply(changes.task, options));
  if (!applied) return fail(ErrorCode::internal, "state", "has not staged the changes");
  return {};
}

}  // namespace hansa::client::testing
