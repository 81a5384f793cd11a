// Runs work that takes too long for the engine's thread: commits, and other calls to the store while the engine runs.
//
// Implementations: InlineExecutor, for simulations and tests, and ThreadExecutor (thread_executor.h), for processes.
// Pieces of work run one at a time, in the order of the calls, so that work may call the store, which only one thread
// at a time may call. A commit also uses the update form and the worker pool, and other work must not use them: no update is
// open from CommitRound to its answer, so the engine's thread uses neither. The exception are the open updates of a buffer,
// which a commit does not touch (server/aggregation/buffered_form.h). An executor must outlive its users.
#pragma once
#include <functional>

namespace hansa::server {

class Executor {
 public:
  virtual ~Executor() = default;
  // Called on the owner's thread. Runs `work` on any thread, and then `done` on the owner's thread. If `work` throws,
  // `done` does not run, and the exception is thrown on the owner's thread.
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
