// The statistics of the clients' data (common/column_statistics.h) in a run: a vector of its identity, which the identity's
// digest covers, and which never changes. A run that begins from another one's model takes them over.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/run.h"

namespace hansa::server {

// Which statistics: of another number of columns, or of another version, they are others.
struct StatisticsKey {
  std::uint32_t columns = 0;
  std::uint32_t version = 1;
  friend bool operator==(const StatisticsKey&, const StatisticsKey&) = default;
};
inline constexpr std::string_view statistics_state_prefix = "statistics ";
// Whether a state vector holds statistics. It has its own length, and only RunIdentity::initial_state has it.
[[nodiscard]] inline bool is_statistics(const StateVector& vector) {
  return std::string_view(vector.name).starts_with(statistics_state_prefix);
}
// The name of the state vector: "statistics of 30 columns, version 1".
[[nodiscard]] std::string name_of(const StatisticsKey& key);

struct RunStatistics {
  StatisticsKey key;
  std::vector<float> vector;  // vector_of(ColumnStatistics), verified
};
// Which statistics the run has; empty: none.
[[nodiscard]] std::optional<StatisticsKey> statistics_of(const RunIdentity& identity);
// Reads them. Empty: the run has not begun, or has none. Fails (storage) if they are damaged.
[[nodiscard]] Result<std::optional<RunStatistics>> read_statistics(Run& run);

}  // namespace hansa::server
