#include "client/agent/task_check.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include "common/column_statistics.h"

namespace hansa::client {
namespace {

Result<void> check_sizes(const messages::TrainTask& task, std::uint64_t bytes_max) {
  const auto too_large = [&](const std::string& what) {
    return fail(ErrorCode::resource, "task", "has " + what + " that is larger than the client takes", {},
                {ReasonCode::task_too_large, {{Quantity::bytes_allowed, bytes_max}}});
  };
  if (task.archive_bytes > bytes_max) return too_large("an archive");
  for (const messages::TaskInput& input : task.inputs) {
    if (input.bytes > bytes_max) return too_large("an input \"" + input.name + "\"");
    if (!input.deltas) continue;
    for (const messages::ModelDelta& delta : input.deltas->deltas)
      if (delta.bytes > bytes_max) return too_large("a delta to \"" + input.name + "\"");
  }
  if (messages::update_values(task) * sizeof(float) > bytes_max) return too_large("an update");
  return {};
}

// The vectors after the first must be those of the method, in its order.
template <class Vectors>
Result<void> check_names(const messages::TrainTask& task, const Vectors& vectors, const std::string& kind,
                         const std::vector<std::string>& expected) {
  const auto wrong = [&](const std::string& name, const char* what) {
    return fail(ErrorCode::refused, "method \"" + task.method.name + "\"", what + kind + " \"" + name + "\"",
                {}, {ReasonCode::vectors_differ, {}});
  };
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (i + 1 >= vectors.size() || vectors[i + 1].name != expected[i])
      return wrong(expected[i], "lacks, or has in another order, its ");
  if (vectors.size() > expected.size() + 1) return wrong(vectors[expected.size() + 1].name, "has no ");
  return {};
}

// The last input of a task of any method may be the federation's statistics, which have a size of their own.
std::span<const messages::TaskInput> without_statistics(std::span<const messages::TaskInput> inputs) {
  return inputs.size() > 1 && inputs.back().name == statistics_input ? inputs.first(inputs.size() - 1)
                                                                     : inputs;
}

Result<void> check_statistics(const messages::TaskInput& input) {
  constexpr std::uint64_t column_bytes = statistics_vector_values * sizeof(float);
  if (input.bytes > 0 && input.bytes % column_bytes == 0 &&
      input.bytes / column_bytes <= statistics_columns_max && !input.deltas)
    return {};
  return fail(ErrorCode::protocol, "input \"" + input.name + "\"", "cannot be statistics of columns");
}

Result<void> check_vectors(const messages::TrainTask& task, const MethodDescription& method) {
  const std::span<const messages::TaskInput> inputs = without_statistics(task.inputs);
  if (inputs.size() < task.inputs.size()) HANSA_TRY_VOID(check_statistics(task.inputs.back()));
  HANSA_TRY_VOID(check_names(task, inputs, "input", method.inputs));
  HANSA_TRY_VOID(check_names(task, task.outputs, "output", method.outputs));
  const std::uint64_t values = task.outputs.front().values;
  for (const messages::TaskInput& input : inputs)
    if (input.bytes / sizeof(float) != values)
      return fail(ErrorCode::protocol, "input \"" + input.name + "\"", "is of another size than the model");
  for (const messages::TaskOutput& output : task.outputs)
    if (output.values != values)
      return fail(ErrorCode::protocol, "output \"" + output.name + "\"", "is of another size than the model");
  return {};
}

// Only checks: the encoder and the decoder create plans of their own.
Result<void> check_codecs(const messages::TrainTask& task, std::uint64_t bytes_max) {
  const auto check = [&](const std::vector<codecs::Segment>& segments, std::uint64_t values) -> Result<void> {
    HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(segments));
    if (plan.values() != values) return fail(ErrorCode::protocol, "codecs", "are not for the task's vectors");
    if (plan.state_values() * sizeof(float) > bytes_max)
      return fail(ErrorCode::resource, "codecs", "need to keep more than the client takes", {},
                  {ReasonCode::task_too_large, {{Quantity::bytes_allowed, bytes_max}}});
    return {};
  };
  for (const messages::TaskInput& input : task.inputs)
    if (input.deltas) HANSA_TRY_VOID(check(input.deltas->segments, input.bytes / sizeof(float)));
  if (!task.compression) return {};
  for (const messages::TaskOutput& output : task.outputs) {
    std::uint64_t values = 0;
    for (const codecs::Segment& segment : output.segments) values += segment.values;
    if (values != output.values) return fail(ErrorCode::protocol, "codecs", "are not for the task's vectors");
  }
  return check(messages::update_segments(task), messages::update_values(task));
}

// An update with a larger value is declined, which tells the aggregator how large its values are. With a limit of the
// aggregator's choice it could measure an update that a secure sum hides.
Result<void> check_magnitude(double magnitude_max) {
  if (std::isfinite(magnitude_max) && magnitude_max >= magnitude_max_least) return {};
  return fail(ErrorCode::refused, "task",
              "limits the values of updates to " + std::to_string(magnitude_max) +
                  ", and this client accepts at least " + std::to_string(magnitude_max_least),
              "raise limits.magnitude_max", {ReasonCode::limit_too_low, {}});
}

// A large fraction takes the device's data away from the training. Of a tiny one, or of two that differ by little, sums
// would show single examples.
Result<void> check_hold_out(const std::optional<HoldOut>& hold_out) {
  if (!hold_out || is_hold_out_fraction(hold_out->fraction)) return {};
  return fail(ErrorCode::refused, "task",
              "holds " + std::to_string(hold_out->fraction) +
                  " of this client's examples out, and only 0.05, 0.1, 0.15 ... 0.5 may be",
              "change the fraction in [evaluation] on_clients", {ReasonCode::option_invalid, {}});
}

}  // namespace

Result<void> check_task(const messages::TrainTask& task, const AgentConfig& config) {
  HANSA_TRY_VOID(messages::check(task));
  HANSA_TRY_VOID(check_approved(task, config.federation, config.models));
  HANSA_TRY_VOID(check_sizes(task, config.blob_bytes_max));
  HANSA_TRY_VOID(check_magnitude(task.magnitude_max));
  HANSA_TRY_VOID(check_hold_out(task.hold_out));
  HANSA_TRY_VOID(check_method(config.methods, task.method));
  HANSA_TRY_VOID(check_vectors(task, *find_method(config.methods, task.method.name)));
  return check_codecs(task, config.blob_bytes_max);
}

}  // namespace hansa::client
