#include "server/setup/statistics_round.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/random.h"
#include "common/vector_digest.h"
#include "server/store/memory_store.h"

namespace hansa::server {
namespace {

CoordinatorConfig coordinator_of(const CoordinatorConfig& run, std::uint32_t columns,
                                 std::vector<std::string> admitted) {
  CoordinatorConfig out = run;
  OperatorSettings& settings = out.settings;
  settings.seed = derive_seed(settings.seed, "statistics");  // other tasks than those of the run
  settings.rounds = 1;
  settings.after_last_round = AfterLastRound::stop;
  settings.method = {std::string(statistics_method), {}};
  settings.vectors.clear();
  settings.schedule = {};
  settings.selection = {};
  settings.admitted = std::move(admitted);
  settings.cohort.clients_expected =
      std::max(settings.cohort.clients_expected, static_cast<std::uint32_t>(settings.admitted.size()));
  settings.cohort.mode = CohortMode::synchronous;  // each client is counted once
  settings.cohort.fraction = 1;
  settings.cohort.size_max = statistics_clients_max;
  settings.limits.examples_max = 1;
  settings.limits.magnitude_max = statistics_digit_max;
  // Clients may have data of very different magnitudes.
  settings.limits.norm_ratio_max = std::numeric_limits<double>::infinity();
  settings.integers_max = static_cast<std::uint32_t>(statistics_digit_max);
  if (auto& secure = settings.secure_sums) {
    secure->rotated = false;
    secure->fraction = 1;
    secure->metrics.clear();
  }
  out.compression = {};
  out.constants.clear();
  out.model.elements = columns * statistics_digits;
  out.model.segments.clear();
  return out;
}

}  // namespace

Result<StatisticsRound> prepare_statistics_round(const FederationConfig& config, const PreparedRun& run,
                                                 std::vector<std::string> admitted) {
  StatisticsRound out;
  out.coordinator = coordinator_of(run.coordinator, config.statistics->columns, std::move(admitted));
  MemoryRunOptions options;
  options.name = "statistics";
  options.scratch = run.store->scratch_folder();
  out.store = std::make_unique<MemoryStore>(std::make_shared<MemoryDisk>(), nullptr, std::move(options));
  const std::vector<float> zeros(out.coordinator.model.elements);
  RunIdentity identity;
  identity.federation = config.name;
  identity.run = run.run;
  identity.seed = out.coordinator.settings.seed;
  identity.archive = out.coordinator.model.archive;
  identity.layout = out.coordinator.model.layout;
  identity.initial_model = vector_digest(zeros);
  HANSA_TRY_VOID(out.store->begin_run(identity, zeros));
  return out;
}

Result<ColumnStatistics> committed_statistics(Store& store, std::uint32_t columns) {
  HANSA_TRY(const auto record, store.round(RoundId(1)));
  if (!record) return fail(ErrorCode::internal, "statistics", "have no committed round");
  const auto clients = std::ranges::count(record->participations, Outcome::counted, &Participation::outcome);
  std::vector<float> digits(columns * statistics_digits);
  HANSA_TRY_VOID(store.get_model(record->model, digits));
  return statistics_of_digits(digits, static_cast<std::uint32_t>(clients));
}

}  // namespace hansa::server
