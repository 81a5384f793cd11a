// "RUN" or "RUN@ROUND" on the command line: a run folder, and one of its committed models.
#pragma once
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/parameter_layout.h"

namespace hansa::tools {

struct RunReference {
  std::filesystem::path run;  // the folder
  std::optional<RoundId> round;  // empty: the last committed
};
// A folder whose own name holds '@' is taken whole if it exists. Fails (usage) if what follows '@' is not a round.
[[nodiscard]] Result<RunReference> parse_run_reference(std::string_view text);

struct RunModel {
  RoundId round;
  Digest digest;
  std::filesystem::path archive;  // the run's archive, whose layout the parameters have
  std::vector<float> parameters;
  ParameterLayout layout;  // of the parameters: without what the run's clients kept to themselves
};
// Fails (usage) if the round is not committed, naming the last that is.
[[nodiscard]] Result<RunModel> load_run_model(const RunReference& reference);

}  // namespace hansa::tools
