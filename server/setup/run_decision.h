// Whether a start resumes a run or begins a new one, and why: the operator reads both at each start.
//
// A run is resumed only with the archive, parameter layout, seed and data contract that it began with, and only by a start of its own
// kind: a simulation is never continued by an aggregator, nor the reverse.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/evaluation/model_process.h"
#include "server/setup/run_request.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

struct RunDecision {
  std::optional<std::string> resumed;  // name in the catalogue; empty: a new run begins
  std::string
      why;  // completes "because": "the model archive changed since run fashion-20260102-030405 (round 3 of 20)"
  std::vector<std::string> notes = {};  // for the operator's log
};

// Older unfinished runs are resumed only by name, because they were abandoned on purpose. Fails (storage) if the run to
// resume is damaged, because a new run would hide that, and (usage) if a named run cannot be resumed.
[[nodiscard]] Result<RunDecision> decide_run(const FederationConfig& config, const ArchiveFacts& facts,
                                             const RunRequest& request, RunCatalogue& runs);

}  // namespace hansa::server
