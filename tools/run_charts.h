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
// How the model serves single clients, by round: of accuracy and loss on what the clients hold out, the mean of the clients'
// own means and the mean of their worst tenth; where devices keep personal parameters, of their personal models too. Of a
// secure sum, whose values are intervals, a line is the worse end. Without panels if the run has no spread.
[[nodiscard]] Chart spread_chart(const RunSeries& run);
// A panel for each of these series, with a line for each run that has it.
[[nodiscard]] Chart series_chart(std::span<const RunSeries> runs, std::span<const std::string> names);
// Several series of one run in one panel. Without panels if the run has none of them.
[[nodiscard]] Chart combined_chart(const RunSeries& run, const std::string& title,
                                   std::span<const std::string> names);

}  // namespace hansa::tools
