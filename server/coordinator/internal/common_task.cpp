#include "server/coordinator/internal/common_task.h"

#include "common/methods.h"

namespace hansa::server {
namespace {

messages::TaskInput input(std::string_view name, const Digest& blob, const Checksum& check,
                          const Digest& values, const CoordinatorConfig& config) {
  messages::TaskInput out{std::string(name), blob, config.model.elements * sizeof(float), check, {}};
  if (config.settings.secure_sums) out.values = values;
  return out;
}

// The model of a round is measured by the tasks of the next one.
HoldOut hold_out(const ClientEvaluation& evaluation, RoundId round, std::uint32_t rounds, Measure measure) {
  const bool due = (round.value - 1) % evaluation.every == 0 || round.value == rounds;
  return {evaluation.fraction, due ? measure : Measure::no};
}

}  // namespace

messages::TrainTask make_common_task(const CoordinatorConfig& config, const PublishedModel& published,
                                     RoundId round, const Method& method, Measure measure) {
  messages::TrainTask task;
  task.round = round;
  task.archive = config.model.archive;
  task.archive_bytes = config.model.archive_bytes;
  task.layout = config.model.layout;
  task.approval = config.model.approval;
  task.inputs.push_back(input(model_input, published.model, published.check, published.values, config));
  if (!published.deltas.empty()) {
    const auto segments = config.compression.downlink->segments();
    task.inputs.front().deltas = messages::ModelDeltas{{segments.begin(), segments.end()}, published.deltas};
  }
  task.method = method;
  task.outputs.push_back({std::string(delta_output), config.model.elements, {}});
  for (std::size_t i = 0; i < config.settings.vectors.size(); ++i) {
    const PublishedModel::Vector& vector = published.vectors[i];
    task.inputs.push_back(
        input(config.settings.vectors[i].input, vector.blob, vector.check, vector.values, config));
    task.outputs.push_back({config.settings.vectors[i].output, config.model.elements, {}});
  }
  task.inputs.insert(task.inputs.end(), config.constants.begin(), config.constants.end());
  task.magnitude_max = config.settings.limits.magnitude_max;
  if (const auto& evaluation = config.settings.client_evaluation)
    task.hold_out = hold_out(*evaluation, round, config.settings.rounds, measure);
  return task;
}

}  // namespace hansa::server
