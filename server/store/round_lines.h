// What the clients of a run measured, from its metrics.jsonl: a line for each round, where the database has rows for each
// client and metric. The file is derived from the database, and may be missing, behind, or edited by somebody.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "server/store/metric_course.h"

namespace hansa::server {

struct RoundLine {
  RoundMeans means;  // a mean that is not a number is NaN
  std::string model;  // "sha256:...": the line is of this run if the database has the same
};
// Of rounds 1, 2, ... up to the first one that has no line, or whose line cannot be read. Empty if the file cannot be read.
[[nodiscard]] std::vector<RoundLine> read_round_lines(const std::filesystem::path& file);

}  // namespace hansa::server
