// Charts of runs, from their series. Pure functions.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "server/output/series.h"
#include "tools/chart.h"

namespace hansa::tools {

struct RunSeries {
  std::string run;  // its name
  std::vector<server::Series> series;
};

// Accuracy and loss by round. Of one run, each of evaluation, held-out examples (with the band of the middle half of the
// clients) and training; of several, of each the first of these that it has. Without panels if nothing was measured.
[[nodiscard]] Chart learning_chart(std::span<const RunSeries> runs);
// A panel for each of these series, with a line for each run that has it.
[[nodiscard]] Chart series_chart(std::span<const RunSeries> runs, std::span<const std::string> names);
// Several series of one run in one panel. Without panels if the run has none of them.
[[nodiscard]] Chart combined_chart(const RunSeries& run, const std::string& title,
                                   std::span<const std::string> names);

}  // namespace hansa::tools
