#include "server/store/internal/metrics_log.h"

#include <limits>

namespace hansa::server::internal {
namespace {

constexpr RoundId first_round{0};
constexpr RoundId any_last_round{std::numeric_limits<std::uint32_t>::max()};

}  // namespace

Result<MetricsLog> MetricsLog::open(const std::filesystem::path& file, Database& database) {
  MetricsLog log(file, database);
  HANSA_TRY_VOID(log.catch_up());
  return log;
}

Result<void> MetricsLog::catch_up() {
  lines_.reset();
  MetricsLines::Found found;
  HANSA_TRY(auto opened, MetricsLines::open(file_, found));
  HANSA_TRY(const RoundId last, database_->last_round());
  HANSA_TRY(const auto evaluations, database_->evaluations(first_round, any_last_round));
  auto next = evaluations.begin();
  // If both lines of a round are missing, that of the evaluation comes second.
  const auto append_evaluations = [&](RoundId through) -> Result<void> {
    for (; next != evaluations.end() && next->first <= through; ++next) {
      const std::string line = evaluation_line(next->first, next->second);
      const auto kept = found.evaluations.find(next->first.value);
      if (kept == found.evaluations.end() || kept->second != line) HANSA_TRY_VOID(opened.append(line));
    }
    return {};
  };
  for (std::uint32_t round = 1; round <= last.value; ++round) {
    if (found.rounds.contains(round)) continue;
    HANSA_TRY_VOID(append_evaluations(RoundId{round - 1}));
    HANSA_TRY(const auto records, database_->rounds(RoundId{round}, RoundId{round}));
    for (const RoundRecord& record : records) HANSA_TRY_VOID(opened.append(round_line(record)));
  }
  HANSA_TRY_VOID(append_evaluations(any_last_round));
  lines_ = std::move(opened);
  return {};
}

void MetricsLog::append(const std::string& line) {
  if (!lines_) {
    (void)catch_up();
  } else if (!lines_->append(line)) {
    lines_.reset();
  }
}

}  // namespace hansa::server::internal
