// Whether the data can be read, and fits the federation's data contract.
#pragma once
#include <optional>

#include "client/check/finding.h"
#include "common/data_contract.h"
#include "learning/trainer.h"

namespace hansa::client {

[[nodiscard]] Finding data_finding(const Result<learning::AvailableData>& data);

// What the aggregator said of its contract.
struct KnownContract {
  bool asked = false;  // a session was opened
  std::optional<DataContract> contract = {};  // empty: the federation has none
};
// A value outside of the contract's range is a warning of the client, and fails no check.
[[nodiscard]] Finding contract_finding(const Result<learning::AvailableData>& data,
                                       const KnownContract& contract);

}  // namespace hansa::client
