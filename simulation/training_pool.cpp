#include "simulation/training_pool.h"

#include <algorithm>

namespace hansa::simulation {

TrainingPool::TrainingPool(unsigned threads) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { serve(); });
}

TrainingPool::~TrainingPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    waiting_.clear();
  }
  wake_.notify_all();
}

void TrainingPool::submit(Work work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({sequence_++, std::move(work), std::move(done)});
  }
  ++outstanding_;
  wake_.notify_one();
}

std::vector<TrainingPool::Done> TrainingPool::take_all() {
  std::vector<Job> jobs;
  {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return done_.size() == outstanding_; });
    jobs.swap(done_);
  }
  outstanding_ = 0;
  std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.sequence < b.sequence; });
  std::vector<Done> out;
  out.reserve(jobs.size());
  for (auto& job : jobs) out.push_back(std::move(job.done));
  return out;
}

void TrainingPool::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return !waiting_.empty() || stop_.stop_requested(); });
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job.work(stop_.get_token());
    lock.lock();
    done_.push_back(std::move(job));
    finished_.notify_one();
  }
}

}  // namespace hansa::simulation
