// Trains in a child process, hansa-trainer, which locks itself before it loads a model (common/sandbox/lock.h).
//
// A model archive is a program that the federation sends. In this process it could read the device's key and data, talk
// to anybody, and end the client. In the child it has the examples, the model and memory that holds its results, and
// nothing else; what it reports are numbers, all of which are checked here, and texts, which are for the device's log. A
// child that crashes, runs out of memory or makes no progress costs one training: train() fails with an error that says
// which, and the next training starts another child. One child runs one archive.
//
// Values travel in frames (internal/protocol.h), vectors in memory that both processes map (internal/task_memory.h).
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/logging.h"
#include "common/time.h"
#include "learning/archive_file.h"
#include "learning/data/data_config.h"
#include "learning/data_supply.h"
#include "learning/model_saver.h"
#include "learning/trainer.h"

namespace hansa::client {

enum class SandboxMode : std::uint8_t {
  locked,  // train() fails if the child cannot lock itself
  unlocked,  // for development: the same child without the lock; every training logs a warning
};

struct TrainerLimits {
  std::uint64_t memory_bytes_max = 0;  // that a training may allocate (RLIMIT_AS); 0: the device's memory
  std::uint64_t cpu_s_max = 0;  // processor time of one training; 0: no limit
  // A training that takes no step for this time is ended, and so is a child that does nothing while it opens the data, or
  // that takes longer to find where a model has its values.
  Duration stall = std::chrono::seconds(300);
  // A training that was asked to stop has this long for its current step. Its result is not wanted any more.
  Duration stop_grace = std::chrono::seconds(5);
};

struct ProcessTrainerConfig {
  // The data that the child opens, or a supply in this process whose examples are passed to it.
  std::variant<learning::DataConfig, std::shared_ptr<learning::DataSupply>> data;
  learning::Scaling scale = learning::Scaling::none;  // that the child applies: LocalTrainerConfig::scale
  int threads = 1;
  std::uint64_t task_bytes_max = 0;  // learning::LocalTrainerConfig::memory_bytes_max
  TrainerLimits limits = {};
  SandboxMode sandbox = SandboxMode::locked;
  // Files and folders that the child does not read, also while it parses the data: the device's key, the state.
  std::vector<std::filesystem::path> secret = {};
  std::filesystem::path program = {};  // empty: hansa-trainer, where it is installed
};

// One training step that was tried.
struct TrialStep {
  std::uint64_t values = 0;  // of the model
  std::uint64_t peak_memory_bytes = 0;  // of the child, with the data open; 0: the system does not tell
  std::vector<std::string> warnings;  // about what is probably wrong; of the child
};

// The child is killed when the thread that started it ends: call the trainer from threads that outlive its use.
class ProcessTrainer final : public learning::Trainer, public learning::ModelSaver {
 public:
  ProcessTrainer(ProcessTrainerConfig config, Logger log);
  ~ProcessTrainer() override;

  // Asks the child, which opens the data for it. Fails also if the child does nothing for limits.stall.
  [[nodiscard]] Result<learning::AvailableData> available_data(std::stop_token stop) override;
  [[nodiscard]] const MethodTable& methods() const override;
  // Fails as the trainer of learning/local_trainer.h does, and in addition: resource if the child was killed, makes no
  // progress, or cannot be locked; model if it crashed, tried what the sandbox forbids, or sent values that cannot be
  // right.
  [[nodiscard]] Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                                       std::span<const learning::OutputVector> outputs,
                                                       std::stop_token stop) override;
  // Asks the child only where the archive holds the values, and writes the file in this process: code and everything else are
  // those of the archive (learning/archive_copy.h), and the values are the request's. A child that was taken over can put
  // them at other places among the tensors. Fails as train() does, and (resource) if the child takes longer than limits.stall,
  // whatever progress it reports.
  [[nodiscard]] Result<learning::WrittenFile> save(const learning::TrainingRequest& request,
                                                   learning::PersonalValues personal,
                                                   const std::filesystem::path& out,
                                                   std::stop_token stop) override;
  // Trains the archived model for a step (learning::check_steps) on data that the child has opened. Nothing is kept. Fails as
  // train() does, and (usage) if the data is a supply of this process.
  [[nodiscard]] Result<TrialStep> try_step(const learning::ArchiveFile& archive);
  // Ends the child and returns its memory, and what this process has freed, to the system.
  void release() override;

  // What the child last found of its data; for the engine. It opens nothing.
  [[nodiscard]] std::shared_ptr<learning::DataSupply> reported_data() const;

 private:
  class Session;
  class Reported;
  [[nodiscard]] Result<Session*> session_for(const std::string& archive, const std::stop_token& stop);

  ProcessTrainerConfig config_;
  Logger log_;
  std::shared_ptr<Reported> reported_;
  std::unique_ptr<Session> session_;
};

struct ReadingInChild {
  Duration stall = std::chrono::seconds(300);
  std::function<bool()> stop_requested;  // may be empty
  SandboxMode sandbox = SandboxMode::locked;
  std::vector<std::filesystem::path> secret;  // ProcessTrainerConfig::secret
};

// Opens data files as learning::open_examples does, without LibTorch in this process: files of kind "tensors" are read
// by a child, which locks itself when they are open. Fails (data) if the child does nothing for `stall`, and (resource)
// soon after stop_requested() is true.
[[nodiscard]] Result<std::unique_ptr<learning::DataSource>> open_examples_in_child(
    const learning::DataConfig& config, const ReadingInChild& reading);

}  // namespace hansa::client
