#include "server/process/internal/run_errors.h"

#include <utility>

#include <fmt/format.h>

#include "server/process/internal/final_report.h"

namespace hansa::server::internal {

bool has_model(Run& store, RoundId round) {
  const auto record = store.round(round);
  return record && *record && (*record)->model_kept;
}

tl::unexpected<Error> fail_diverged(const FederationConfig& config, const PreparedRun& run,
                                    const std::string& text, const std::optional<BestRound>& best) {
  std::string hint =
      "lower training.learning_rate and begin a new run with --new, or set divergence.action to \"warn\" to "
      "continue this one";
  if (best && has_model(*run.store, best->round))
    hint += fmt::format("; \"{}\" begins one from {}",
                        command_from(config.file.string(), run.run, best->round), text_of(*best));
  return fail(ErrorCode::data, run.store->location(), text + ", and divergence.action is \"stop\"",
              std::move(hint));
}

}  // namespace hansa::server::internal
