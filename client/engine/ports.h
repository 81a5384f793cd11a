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
#include "common/digest.h"
#include "common/error.h"
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

class TrainingRunner {
 public:
  virtual ~TrainingRunner() = default;
  // Starts a training. When it has ended, the engine's owner calls Engine::training_ended, never from within start().
  // After stop() or another start(), the end of an earlier training is not reported.
  virtual void start(const messages::TrainTask& task, learning::TrainingRequest request,
                     std::shared_ptr<TaskVectors> vectors) = 0;
  virtual void stop() = 0;
};

using LogSink = std::function<void(Log::Level, const std::string&)>;

}  // namespace hansa::client
