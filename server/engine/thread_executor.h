// An executor with a thread of its own.
#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "server/engine/executor.h"

namespace hansa::server {

// The owner's thread calls run(), deliver(), wait() and the destructor, which waits as wait() does.
class ThreadExecutor final : public Executor {
 public:
  // wake is called on the executor's thread when deliver() has something to do.
  explicit ThreadExecutor(std::function<void()> wake);
  ~ThreadExecutor() override;

  void run(std::function<void()> work, std::function<void()> done) override;
  void wait() override;
  // Runs `done` for all work that has ended, up to the first work that threw.
  void deliver();

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  struct Ended {
    std::function<void()> done;
    std::exception_ptr error;  // what the work threw
  };
  void serve();

  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  std::vector<Ended> ended_;
  bool working_ = false;
  bool stopping_ = false;
  std::thread thread_;  // the last member, because the thread uses all others
};

}  // namespace hansa::server
