// Runs trainings on a few threads. Finished ones are taken together, so the caller decides in which order to report
// them.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace hansa::simulation {

// One thread calls submit() and take_all().
class TrainingPool {
 public:
  using Work = std::function<void(std::stop_token)>;  // runs on a pool thread
  using Done = std::function<void()>;  // returned by take_all()

  explicit TrainingPool(unsigned threads);
  ~TrainingPool();  // requests running work to stop, and waits for it

  void submit(Work work, Done done);
  [[nodiscard]] bool idle() const { return outstanding_ == 0; }
  // Waits until all submitted work has finished, and returns the results in order of submission.
  [[nodiscard]] std::vector<Done> take_all();

 private:
  struct Job {
    std::uint64_t sequence;
    Work work;
    Done done;
  };
  void serve();

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  std::deque<Job> waiting_;
  std::vector<Job> done_;
  std::size_t outstanding_ = 0;  // submitted and not yet taken; used only by the submitting thread
  std::uint64_t sequence_ = 0;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace hansa::simulation
