// Trainings on a few threads; finished ones are taken in a batch, in an order of the caller's choice.
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

// submit and take_all are called by one thread.
class TrainingPool {
 public:
  using Work = std::function<void(std::stop_token)>;  // on a pool thread
  using Done = std::function<void()>;  // given back by take_all

  explicit TrainingPool(unsigned threads);
  ~TrainingPool();  // asks running work to stop and waits for it

  void submit(Work work, Done done);
  [[nodiscard]] bool idle() const { return outstanding_ == 0; }
  // Waits until all that was submitted is finished; in order of submission.
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
  std::size_t outstanding_ = 0;  // of the submitting thread: submitted and not taken
  std::uint64_t sequence_ = 0;
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace hansa::simulation
