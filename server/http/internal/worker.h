// One thread that does what may take long: calls of the handler, and reading files. Its queue is bounded.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hansa::http::internal {

// Thread-safe. Jobs do not throw.
class Worker {
 public:
  explicit Worker(std::size_t jobs_max);
  ~Worker();  // waits for the current job; those that wait are dropped
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False: the queue is full, and the job will not run.
  [[nodiscard]] bool post(std::function<void()> job);

 private:
  void serve();

  const std::size_t jobs_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool is_stopping_ = false;
  std::thread thread_;  // the last member, because the thread uses all others
};

}  // namespace hansa::http::internal
