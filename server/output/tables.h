// The series of runs as one table, a row for each round of each run: CSV (RFC 4180) and JSON lines. Pure functions.
//
// The columns are run, round, time (RFC 3339, UTC, of the round's commit), and every series. In CSV, a cell without a
// value is empty, and a value that is not finite is nan, inf or -inf. In JSON, a key without a value is left out, and a
// value that is not finite is null.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "server/output/series.h"

namespace hansa::server {

struct NamedRows {
  std::string run;
  std::vector<SeriesRow> rows;
};

[[nodiscard]] std::string csv_of(std::span<const NamedRows> runs);
[[nodiscard]] std::string json_lines_of(std::span<const NamedRows> runs);

}  // namespace hansa::server
