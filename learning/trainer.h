// The trainer as the rest of Hansa sees it: values in, values out, no LibTorch.
//
// Training is a function of values, so that it can move to a process of its own: what a device keeps from task to
// task comes with the request, and what shall be kept goes back with the result. Nothing here shares objects with the
// caller beyond a call. One thread at a time calls a trainer.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/parameter_layout.h"
#include "common/training.h"
#include "learning/kept_vectors.h"

namespace hansa::learning {

struct AvailableData {
  std::uint64_t examples = 0;
  std::uint64_t new_examples = 0;  // of them: no counted update was trained on these; 0 for data that stays
  std::string problem;  // why no more come; empty: all is well
};

struct TrainingRequest {
  std::filesystem::path archive;  // TorchScript archive, already verified by its digest
  Digest layout;  // what the aggregator believes the layout to be
  TrainingConfig config;
  std::uint64_t seed = 0;  // of the order of examples and of the model's own randomness
  TaskId task = {};  // whose training this is
  KeptVectors kept = {};  // what earlier trainings on this archive returned to be kept
};

struct TrainingResult {
  std::uint64_t examples = 0;  // the update's weight: distinct local examples trained on
  std::uint64_t samples = 0;  // examples times epochs really done
  double train_seconds = 0;  // wall time of the training loop
  std::uint64_t new_examples = 0;  // of the examples: those that were new
  std::uint64_t data_mark = 0;  // names these: TrainingData::mark
  KeptVectors kept;  // to be kept if the update is counted; the caller drops them otherwise
  Metrics metrics;  // "loss" and what else the model reports, over the last epoch
};

class Trainer {
 public:
  virtual ~Trainer() = default;

  // Examples at hand now. Fails with the data file's error if the data cannot be used.
  [[nodiscard]] virtual Result<AvailableData> data_at_hand() = 0;

  // Trains from `global` and writes local - global into `delta`; both have the layout's
  // element_count(). Fails (code data, model, resource) without a side effect; a stop
  // request ends it within a step or two with code resource and what "stopped".
  [[nodiscard]] virtual Result<TrainingResult> train(const TrainingRequest& request,
                                                     std::span<const float> global, std::span<float> delta,
                                                     std::stop_token stop) = 0;
};

}  // namespace hansa::learning
