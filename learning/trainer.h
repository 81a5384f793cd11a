// The interface of a trainer: values in, values out, no LibTorch.
//
// Training is a function of values, so that it can run in another process: what a device keeps from task to task is
// part of the request, and what it shall keep is part of the result. A call shares no objects with its caller after it
// returns. One thread at a time calls a trainer.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "common/data_description.h"
#include "common/error.h"
#include "common/hold_out.h"
#include "common/identifiers.h"
#include "common/methods.h"
#include "common/parameter_layout.h"
#include "common/training.h"
#include "learning/archive_file.h"
#include "learning/kept_vectors.h"

namespace hansa::learning {

struct AvailableData {
  std::uint64_t examples = 0;
  std::uint64_t new_examples = 0;  // not yet part of a counted update; 0 for data that does not arrive
  std::optional<Error> problem = {};  // why no more data arrives; empty: no problem
  // Compared with the federation's data contract. Empty: not known; then the data fits no contract.
  std::optional<DataDescription> description = {};
  // What the operator should know of the data, and what stops nothing: files that were left out.
  std::vector<Error> notes = {};
};

// A named vector that a training reads, and one that it writes. The caller owns the values.
struct InputVector {
  std::string name;
  std::span<const float> values;
};
struct OutputVector {
  std::string name;
  std::span<float> values;
};

struct TrainingRequest {
  ArchiveFile archive;  // TorchScript archive, already verified by its digest
  Digest layout;  // the layout that the aggregator assumes
  Method method = sgd_method({});
  std::vector<InputVector> inputs = {};  // "model", the method's, perhaps "statistics"; valid during the call
  std::uint64_t seed = 0;  // for the order of examples and the model's own randomness
  TaskId task = {};  // the task that this training belongs to
  // The largest change of a value that the task allows.
  double magnitude_max = std::numeric_limits<double>::infinity();
  KeptVectors kept = {};  // what earlier trainings on this archive returned to be kept
  // A trainer that has data of its own must keep to it as well: learning/hold_out.h.
  std::optional<HoldOut> hold_out = {};  // empty: all examples are for training
  std::uint64_t hold_out_key = 0;  // of the device
  // Values of the model's metrics() that are measured on the held-out examples.
  std::vector<std::string> own_metrics = {};
};

struct TrainingResult {
  std::uint64_t examples = 0;  // the update's weight: distinct local examples trained on
  std::uint64_t samples = 0;  // examples times completed epochs
  double train_seconds = 0;  // wall time of the training loop
  std::uint64_t new_examples = 0;  // how many of `examples` were new
  std::uint64_t data_mark = 0;  // identifies the new examples: TrainingData::mark
  KeptVectors kept;  // to be kept if the update is counted; the caller drops them otherwise
  // Of the last epoch; and, if the request asks for it, what common/held_out_metrics.h names.
  std::string note;  // what was left out and why, for this device's log; empty: nothing
  Metrics metrics;
};

class Trainer {
 public:
  virtual ~Trainer() = default;

  // The examples that are available now. Fails with the data file's error if the data cannot be used. Opening data may take
  // long, so that a stop request should end it early, with code resource and what "stopped".
  [[nodiscard]] virtual Result<AvailableData> available_data(std::stop_token stop) = 0;

  // The methods that train() knows. With statistics_method (common/column_statistics.h) the client is in statistics.
  [[nodiscard]] virtual const MethodTable& methods() const { return built_in_methods(); }

  // Trains from the input "model" and writes the outputs: "delta", which is the trained model minus the model, and
  // those of the method. Each vector but "statistics" has the layout's element_count() values. Fails (code data, model, resource;
  // refused for a method that the trainer does not know) without a side effect; a stop request ends it within a step
  // or two with code resource and what "stopped".
  [[nodiscard]] virtual Result<TrainingResult> train(const TrainingRequest& request,
                                                     std::span<const OutputVector> outputs,
                                                     std::stop_token stop) = 0;

  // Frees what the next training can acquire again. Called when no training has been asked for in a while.
  virtual void release() {}
};

// Trains by a method that exchanges nothing but the model and its delta.
[[nodiscard]] inline Result<TrainingResult> train_on(Trainer& trainer, TrainingRequest request,
                                                     std::span<const float> model, std::span<float> delta,
                                                     std::stop_token stop = {}) {
  request.inputs = {{std::string(model_input), model}};
  const OutputVector outputs[] = {{std::string(delta_output), delta}};
  return trainer.train(request, outputs, std::move(stop));
}

}  // namespace hansa::learning
