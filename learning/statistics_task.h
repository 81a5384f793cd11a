// The method "statistics", which trains no model: a client's part of the federation's statistics
// (common/column_statistics.h). Without LibTorch, for trainers of every kind.
#pragma once
#include <span>
#include <stop_token>

#include "learning/data/data_config.h"
#include "learning/data/data_source.h"
#include "learning/trainer.h"

namespace hansa::learning {

// Sums up the examples that are for training, as they are in the files, and writes the only output. `scale` is that of the
// client: only one that scales by the federation's statistics takes part. Fails (usage) if it does not, (refused) if the
// task's model is not zero, (data) if the task is for another number of columns, and as split_examples() and sum_columns() do.
[[nodiscard]] Result<TrainingResult> run_statistics_task(const DataSource& source, Scaling scale,
                                                         const TrainingRequest& request,
                                                         std::span<const OutputVector> outputs,
                                                         const std::stop_token& stop = {});

// The error if all examples of a client are held out.
[[nodiscard]] tl::unexpected<Error> fail_all_held_out(const DataSource& source);

}  // namespace hansa::learning
