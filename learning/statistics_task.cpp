#include "learning/statistics_task.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>

#include "common/time.h"
#include "learning/damaged_examples.h"
#include "learning/data/column_sums.h"
#include "learning/data/scaled_source.h"
#include "learning/hold_out.h"

namespace hansa::learning {

namespace {

// Not -0, which has another digest.
bool is_zero(float value) { return std::bit_cast<std::uint32_t>(value) == 0; }

}  // namespace

tl::unexpected<Error> fail_all_held_out(const DataSource& source) {
  return fail(ErrorCode::data, source.location(),
              "has too few examples to train on, without those that are held out for evaluation",
              "equal examples are on the same side; add data, or use a lower fraction in [evaluation] "
              "on_clients of federation.toml",
              {ReasonCode::too_few_examples, {}});
}

Result<TrainingResult> run_statistics_task(const DataSource& source, Scaling scale,
                                           const TrainingRequest& request,
                                           std::span<const OutputVector> outputs,
                                           const std::stop_token& stop) {
  const Instant started = steady_now();
  if (scale != Scaling::federation)
    return fail(ErrorCode::usage, source.location(),
                "is no part of the federation's statistics, because this client does not scale by them",
                "set scale = \"federation\" in [data]");
  if (outputs.size() != 1)
    return fail(ErrorCode::refused, source.location(),
                "has one vector of statistics, and the task wants " + std::to_string(outputs.size()));
  // Clients compare the sums that they help to open by their models: another model would hide an earlier sum of the same
  // data from this comparison.
  if (request.inputs.empty() || !std::ranges::all_of(request.inputs.front().values, is_zero))
    return fail(ErrorCode::refused, source.location(),
                "is asked for statistics with a model that is not zero");
  ExampleSplit split;
  std::optional<ExampleSubset> subset;
  if (request.hold_out) {
    HANSA_TRY(split, split_examples(source, request.hold_out->fraction, request.hold_out_key, stop));
    if (split.training.empty()) return fail_all_held_out(source);
    subset.emplace(source, std::move(split.training));
  }
  DamagedFiles damaged(source.damaged_files_max());
  const ReplacedExamples examples(subset ? static_cast<const DataSource&>(*subset) : source, damaged);
  HANSA_TRY(const ColumnSums sums, sum_columns(examples, stop));
  const std::span<float> digits = outputs.front().values;
  if (digits.size() != sums.columns() * statistics_digits)
    return fail(ErrorCode::data, source.location(),
                "has " + std::to_string(sums.columns()) +
                    " columns, and the federation's statistics are of " +
                    std::to_string(digits.size() / statistics_digits),
                columns_hint(sums.columns()));
  sums.write(digits);
  TrainingResult result;
  result.examples = 1;  // every client has the same weight in a sum of digits
  result.train_seconds = seconds(steady_now() - started);
  result.note = damaged.note(source.location());
  return result;
}

}  // namespace hansa::learning
