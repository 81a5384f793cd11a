#include "server/store/run_statistics.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "common/column_statistics.h"

namespace hansa::server {

std::string name_of(const StatisticsKey& key) {
  return fmt::format("{}of {} columns, version {}", statistics_state_prefix, key.columns, key.version);
}

std::optional<StatisticsKey> statistics_of(const RunIdentity& identity) {
  const auto found = std::ranges::find_if(identity.initial_state, is_statistics);
  if (found == identity.initial_state.end()) return std::nullopt;
  StatisticsKey key;
  if (std::sscanf(found->name.c_str(), "statistics of %u columns, version %u", &key.columns, &key.version) !=
      2)
    return std::nullopt;
  return key;
}

Result<std::optional<RunStatistics>> read_statistics(Run& run) {
  HANSA_TRY(const auto identity, run.identity());
  if (!identity) return std::nullopt;
  const auto found = std::ranges::find_if(identity->initial_state, is_statistics);
  if (found == identity->initial_state.end()) return std::nullopt;
  const auto key = statistics_of(*identity);
  if (!key || key->columns == 0 || key->columns > statistics_columns_max)
    return fail(ErrorCode::storage, run.location(),
                "has statistics under an unknown name, \"" + found->name + "\"",
                "use the version of Hansa that wrote the run");
  RunStatistics out{*key, std::vector<float>(key->columns * statistics_vector_values)};
  HANSA_TRY_VOID(run.get_model(found->vector, out.vector));
  if (auto valid = statistics_of_vector(out.vector); !valid) {
    valid.error().code = ErrorCode::storage;
    valid.error().location = run.location();
    return tl::unexpected<Error>(std::move(valid).error());
  }
  return out;
}

}  // namespace hansa::server
