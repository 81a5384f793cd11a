// The interfaces that the engine uses: the link, the training and the archives of a device. The ZeroMQ process
// (client/process), the simulation and the load generator implement them.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/agent/agent.h"
#include "common/column_statistics.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/personal_model.h"
#include "learning/trainer.h"
#include "protocols/messages/messages.h"
#include "protocols/transport/bulk.h"

namespace hansa::client {

class Link {
 public:
  virtual ~Link() = default;
  // Starts an attempt to connect, which ends in Engine::link_up or Engine::link_down.
  virtual void open(std::uint64_t attempt) = 0;
  virtual void close() = 0;
  virtual void send(std::span<const std::byte> message, const transport::Bulk& bulk) = 0;
};

// Archives by digest, verified when they were stored.
class ArchiveStore {
 public:
  virtual ~ArchiveStore() = default;
  [[nodiscard]] virtual bool has(const Digest& archive) = 0;
  [[nodiscard]] virtual Result<void> put(const Digest& archive, std::span<const std::byte> bytes) = 0;
  [[nodiscard]] virtual std::filesystem::path path(const Digest& archive) const = 0;
};

// The vectors of one task. The training thread reads the inputs and writes the update: the outputs' vectors, one
// after the other.
struct TaskVectors {
  struct Input {
    std::string name;
    Digest vector;  // names the values; zero while they are incomplete
    std::vector<float> values;
    std::optional<Digest> digest = {};  // of the values, if it was computed: common/vector_digest.h
  };
  std::vector<Input> inputs;
  std::vector<float> update;
};
// The task's outputs, as parts of the update.
[[nodiscard]] std::vector<learning::OutputVector> outputs_of(TaskVectors& vectors,
                                                             const messages::TrainTask& task);

// A global model that this device holds in full, for programs on this device.
struct ModelToServe {
  std::string run;
  RoundId round;  // of its commit; 0: the run's first model
  TaskId trained;  // the task that began with it; 0: none, because it is the last model
  learning::TrainingRequest request;  // its only input is the model; `kept` is what this device keeps
  PersonalModel personal = PersonalModel::absent;  // whether this device has a model of its own
  // By which the federation's clients scale the model's inputs; empty: it has none.
  std::optional<ColumnStatistics> statistics = {};
  std::shared_ptr<const void> owner;  // of the model's values
};

class TrainingRunner {
 public:
  virtual ~TrainingRunner() = default;
  // Starts a training. When it has ended, the engine's owner calls Engine::training_ended, never from within start().
  // After stop() or another start(), the end of an earlier training is not reported.
  virtual void start(const messages::TrainTask& task, learning::TrainingRequest request,
                     std::shared_ptr<TaskVectors> vectors) = 0;
  virtual void stop() = 0;
  // Writes the model where programs of this device find it, after the training in progress. Only the newest one is of
  // interest. Does nothing where no program is served.
  virtual void serve(ModelToServe /*model*/) {}
};

using LogSink = std::function<void(const Log&)>;

}  // namespace hansa::client
