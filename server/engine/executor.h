// Runs work that takes too long for the engine's thread: commits, and other calls to the store while the engine runs.
//
// Implementations: InlineExecutor, for simulations and tests, and ThreadExecutor (thread_executor.h), for processes.
// Pieces of work run one at a time, in the order of the calls. So they may use objects that only one thread at a time
// may call (the store, the update form, the worker pool). An executor must outlive its users.
#pragma once
#include <functional>

namespace hansa::server {

class Executor {
 public:
  virtual ~Executor() = default;
  // Called on the owner's thread. Runs `work` on any thread, and then `done` on the owner's thread. Neither may throw.
  virtual void run(std::function<void()> work, std::function<void()> done) = 0;
  // Blocks until all work has run. A `done` that has not run by then is dropped.
  virtual void wait() = 0;
};

// Runs both before run() returns.
class InlineExecutor final : public Executor {
 public:
  void run(std::function<void()> work, std::function<void()> done) override {
    work();
    done();
  }
  void wait() override {}
};

}  // namespace hansa::server
