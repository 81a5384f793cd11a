// A TCP server on loopback that is not an aggregator.
#pragma once
#include <atomic>
#include <string>
#include <thread>

namespace hansa::transport::testing {

class Stranger {
 public:
  enum class Habit { answers_http, echoes, says_nothing, hangs_up };
  explicit Stranger(Habit habit);
  ~Stranger();
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  [[nodiscard]] std::string address() const;

 private:
  void serve();
  void serve_one(int connection) const;

  Habit habit_;
  int listener_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// An address at which nothing listens.
std::string dead_address();

}  // namespace hansa::transport::testing
