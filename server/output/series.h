// The series of a run: named numbers by round. Every exporter, plot and report takes its numbers from here, so that they
// have the same names everywhere: docs/metrics.md lists them.
//
// A name is GROUP/METRIC, of letters, digits, '-', '_' and '.', with exactly one '/', and is safe as a path below a folder.
// Metrics get their names from models and clients: each other character is replaced by '_'. Pure functions.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "common/training.h"
#include "server/output/run_view.h"
#include "server/store/store.h"

namespace hansa::server {

struct SeriesValue {
  std::string name;
  double value = 0;  // may be a NaN or infinite, where a client reported such a value
};

// Values that became known together, for one round. Each name occurs once.
struct SeriesRow {
  RoundId round;  // of the model that they are about; 0: the initial model
  double time = 0;  // seconds since 1970, UTC; 0: not known
  std::vector<SeriesValue> values;
};

// What a committed round says about itself: "round/...", "clients/...", "bytes/...", "train/..." and "secure/...". Its
// time is that of the commit.
[[nodiscard]] SeriesRow round_row(const RoundRecord& record);
// What the clients of a round measured of the model with which it began: "held_out/...", for the round before. Without
// values if they measured nothing. Its time is that at which the measuring round started.
[[nodiscard]] SeriesRow held_out_row(const RoundRecord& record);
// "evaluation/...". A run does not keep when a model was evaluated: `time` is that of the model's commit.
[[nodiscard]] SeriesRow evaluation_row(RoundId round, const Metrics& metrics, double time);

// Time of the commit; for round 0 the start of round 1. 0: not known.
[[nodiscard]] double commit_time(const RoundRecord& record);
[[nodiscard]] double start_time(const RoundRecord& record);

// All rows of a run that has a committed round, in the order in which their values became known: the evaluation of the
// initial model; then for each round what its clients measured of the model before it, the round itself, its evaluation.
[[nodiscard]] std::vector<SeriesRow> rows_of(const RunView& view);

struct SeriesPoint {
  RoundId round;
  double time = 0;
  double value = 0;
};
struct Series {
  std::string name;
  std::vector<SeriesPoint> points;  // in the order of their rounds, each round once
};
// The rows by name, in the order in which names first occur. If two rows of the same name are for one round, the last one
// counts.
[[nodiscard]] std::vector<Series> series_of(std::span<const SeriesRow> rows);
// Null: the run has no such series.
[[nodiscard]] const Series* find_series(std::span<const Series> all, std::string_view name);

// "train/" and the metric's name, made safe: at most series_name_bytes_max bytes.
inline constexpr std::size_t series_name_bytes_max = 160;
[[nodiscard]] std::string series_name(std::string_view group, std::string_view metric);
// A text as one component of a path or of a name, in the same way.
[[nodiscard]] std::string safe_component(std::string_view text, std::size_t bytes_max = 128);

}  // namespace hansa::server
