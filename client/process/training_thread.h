// One training at a time on a thread of its own, so that the session continues meanwhile. The thread is the only user of
// the trainer, so that it also looks at the data.
#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "client/engine/ports.h"
#include "common/time.h"

namespace hansa::client {

class TrainingThread final : public TrainingRunner {
 public:
  struct Ended {
    messages::TrainTask task;
    Result<learning::TrainingResult> result;
  };

  // Writes a model for programs of this device, on the training thread. The metrics are those of the training that
  // began with it, if it succeeded. The destructor requests the stop.
  using WriteModel = std::function<void(const ModelToServe&, const Metrics&, const std::stop_token&)>;

  // `trainer` must outlive the object, and its release() is called after `idle` without a training. `wake` is called on
  // the training thread when a result is ready. write may be empty.
  TrainingThread(learning::Trainer& trainer, Duration idle, std::function<void()> wake,
                 WriteModel write = {});
  ~TrainingThread() override;  // stops a training within a step or two

  void start(const messages::TrainTask& task, learning::TrainingRequest request,
             std::shared_ptr<TaskVectors> vectors) override;
  void stop() override;
  void serve(ModelToServe model) override;
  // No model is being written, or waits for it.
  [[nodiscard]] bool has_served();
  // The result of the training that was started last, once.
  [[nodiscard]] std::optional<Ended> take();
  // Asks the trainer what data it has, after the training that is in progress or waits. The destructor stops the look.
  void look_at_data();
  // What it found, once.
  [[nodiscard]] std::optional<Result<learning::AvailableData>> take_data();

 private:
  struct Job {
    messages::TrainTask task;
    learning::TrainingRequest request;
    std::shared_ptr<TaskVectors> vectors;
    std::stop_source stop;
  };
  void serve(const std::stop_token& quit);
  void train(std::unique_lock<std::mutex>& lock);
  void look(std::unique_lock<std::mutex>& lock);
  void write(std::unique_lock<std::mutex>& lock);

  learning::Trainer& trainer_;
  Duration idle_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Job> next_;
  std::stop_source running_;  // of the training in progress
  std::uint64_t generation_ = 0;  // of the last start or stop; older results are ignored
  std::optional<Ended> ended_;
  bool look_wanted_ = false;
  std::stop_source looking_;
  WriteModel write_model_;
  std::optional<ModelToServe> to_serve_;
  bool is_writing_ = false;
  std::stop_source writing_;
  TaskId trained_;  // the last task whose training succeeded, with its metrics
  Metrics metrics_;
  std::optional<Result<learning::AvailableData>> found_;
  std::jthread thread_;  // the last member, because the thread uses all others
};

}  // namespace hansa::client
