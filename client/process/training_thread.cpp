#include "client/process/training_thread.h"

namespace hansa::client {

TrainingThread::TrainingThread(learning::Trainer& trainer, Duration idle, std::function<void()> wake,
                               WriteModel write)
    : trainer_(trainer),
      idle_(idle),
      wake_(std::move(wake)),
      write_model_(std::move(write)),
      thread_([this](const std::stop_token& quit) { serve(quit); }) {}

TrainingThread::~TrainingThread() {
  looking_.request_stop();
  writing_.request_stop();
  stop();
}

void TrainingThread::start(const messages::TrainTask& task, learning::TrainingRequest request,
                           std::shared_ptr<TaskVectors> vectors) {
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    running_.request_stop();
    ended_.reset();
    next_.emplace(Job{task, std::move(request), std::move(vectors), std::stop_source{}});
  }
  changed_.notify_one();
}

void TrainingThread::stop() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  running_.request_stop();
  next_.reset();
  ended_.reset();
}

void TrainingThread::serve(ModelToServe model) {
  if (!write_model_) return;
  {
    const std::lock_guard lock(mutex_);
    to_serve_ = std::move(model);
  }
  changed_.notify_one();
}

bool TrainingThread::has_served() {
  const std::lock_guard lock(mutex_);
  return !to_serve_ && !is_writing_;
}

std::optional<TrainingThread::Ended> TrainingThread::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(ended_, std::nullopt);
}

void TrainingThread::look_at_data() {
  {
    const std::lock_guard lock(mutex_);
    look_wanted_ = true;
  }
  changed_.notify_one();
}

std::optional<Result<learning::AvailableData>> TrainingThread::take_data() {
  const std::lock_guard lock(mutex_);
  return std::exchange(found_, std::nullopt);
}

void TrainingThread::serve(const std::stop_token& quit) {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return next_ || look_wanted_ || to_serve_; };
  bool released = false;
  while (true) {
    if (!released && !changed_.wait_for(lock, quit, idle_, has_work) && !quit.stop_requested()) {
      lock.unlock();
      trainer_.release();
      lock.lock();
      released = true;
    }
    if (!changed_.wait(lock, quit, has_work)) return;
    released = false;
    if (next_) train(lock);
    else if (look_wanted_) look(lock);
    else write(lock);
  }
}

void TrainingThread::train(std::unique_lock<std::mutex>& lock) {
  Job job = std::move(*next_);
  next_.reset();
  running_ = job.stop;
  const std::uint64_t generation = generation_;
  lock.unlock();
  auto result = trainer_.train(job.request, outputs_of(*job.vectors, job.task), job.stop.get_token());
  // Released before the result is reported, because the engine reuses only vectors that nobody else holds.
  job.vectors.reset();
  lock.lock();
  if (result) {
    trained_ = job.task.task;
    metrics_ = result->metrics;
  }
  if (generation != generation_) return;
  ended_.emplace(Ended{job.task, std::move(result)});
  lock.unlock();
  wake_();
  lock.lock();
}

void TrainingThread::look(std::unique_lock<std::mutex>& lock) {
  look_wanted_ = false;
  lock.unlock();
  auto found = trainer_.available_data(looking_.get_token());
  lock.lock();
  found_.emplace(std::move(found));
  lock.unlock();
  wake_();
  lock.lock();
}

void TrainingThread::write(std::unique_lock<std::mutex>& lock) {
  const ModelToServe model = std::move(*to_serve_);
  to_serve_.reset();
  is_writing_ = true;
  const bool known = model.trained != TaskId{} && model.trained == trained_;
  const Metrics metrics = known ? metrics_ : Metrics{};
  lock.unlock();
  write_model_(model, metrics, writing_.get_token());
  lock.lock();
  is_writing_ = false;
  lock.unlock();
  wake_();
  lock.lock();
}

}  // namespace hansa::client
