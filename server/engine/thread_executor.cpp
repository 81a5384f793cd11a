#include "server/engine/thread_executor.h"

#include <utility>

namespace hansa::server {

ThreadExecutor::ThreadExecutor(std::function<void()> wake)
    : wake_(std::move(wake)), thread_([this] { serve(); }) {}

ThreadExecutor::~ThreadExecutor() {
  wait();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ThreadExecutor::run(std::function<void()> work, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(work), std::move(done)});
  }
  changed_.notify_all();
}

void ThreadExecutor::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !working_; });
  ended_.clear();
}

void ThreadExecutor::deliver() {
  std::vector<Ended> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
  }
  for (const Ended& job : ended) {
    if (job.error) std::rethrow_exception(job.error);
    job.done();
  }
}

void ThreadExecutor::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    working_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      job.work();
    } catch (...) {
      error = std::current_exception();
    }
    job.work = nullptr;  // releases what it holds on this thread
    lock.lock();
    working_ = false;
    ended_.push_back({std::move(job.done), error});
    lock.unlock();
    changed_.notify_all();
    wake_();
    lock.lock();
  }
}

}  // namespace hansa::server
