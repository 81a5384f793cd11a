#include "server/coordinator/internal/common_task.h"

#include <algorithm>

#include "common/methods.h"
#include "common/random.h"

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

void add_compression(messages::TrainTask& task, const CoordinatorConfig& config, std::uint64_t cohort_seed) {
  const auto& uplink = config.compression.uplink;
  if (!uplink) return;
  // No segment has values of two outputs.
  auto segment = uplink->segments().begin();
  for (messages::TaskOutput& output : task.outputs)
    for (std::uint64_t values = 0; values < output.values; ++segment) {
      output.segments.push_back(*segment);
      values += segment->values;
    }
  task.compression = messages::Compression{config.compression.entropy, cohort_seed};
}

std::uint64_t codec_seed(const CoordinatorConfig& config, RoundId round) {
  return derive_seed(config.settings.seed, "codec places", round.value);
}

bool leads_to(const PublishedModel& published, const Digest& blob) {
  return blob == published.model || (!published.deltas.empty() && blob == published.deltas.back().blob);
}

std::uint64_t input_blob_bytes(const CoordinatorConfig& config, const PublishedModel& published,
                               const Digest& blob) {
  const bool is_vector =
      std::ranges::find(published.vectors, blob, &PublishedModel::Vector::blob) != published.vectors.end();
  if (is_vector || blob == published.model) return config.model.elements * sizeof(float);
  const auto& constants = config.constants;
  if (const auto constant = std::ranges::find(constants, blob, &messages::TaskInput::vector);
      constant != constants.end())
    return constant->bytes;
  const auto delta = std::ranges::find(published.deltas, blob, &messages::ModelDelta::blob);
  return delta == published.deltas.end() ? 0 : delta->bytes;
}

}  // namespace hansa::server
