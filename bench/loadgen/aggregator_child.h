// A real hansa-aggregator as a child process, in a federation created for the measurement.
#pragma once
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "common/error.h"
#include "common/time.h"
#include "protocols/transport/keys.h"

namespace hansa::loadgen {

struct FederationPlan {
  std::filesystem::path folder;  // created, or replaced
  std::filesystem::path model;
  unsigned clients = 10;
  unsigned rounds = 10;
  std::string compression;  // lines of [compression]; empty: the defaults
  unsigned spool_memory_mib = 0;  // 0: the default
};
// Creates configuration and keys; the key of client I is client-I.key.
[[nodiscard]] Result<void> make_federation(const FederationPlan& plan);

class AggregatorChild {
 public:
  // Returns when the aggregator listens.
  [[nodiscard]] static Result<std::unique_ptr<AggregatorChild>> start(const std::filesystem::path& folder);
  ~AggregatorChild();

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] bool ended() const { return ended_; }
  // The time of each commit, from the aggregator's log.
  [[nodiscard]] std::vector<Instant> commits();
  [[nodiscard]] double peak_mib() const { return peak_mib_; }
  // Waits until the aggregator ends; true: exit code 0.
  [[nodiscard]] bool succeeded();

 private:
  AggregatorChild() = default;
  void read_lines();

  pid_t pid_ = -1;
  FILE* lines_ = nullptr;
  std::string address_;
  std::atomic<bool> ended_ = false;
  std::atomic<double> peak_mib_ = 0;
  std::mutex mutex_;
  std::vector<Instant> commits_;
  std::thread reader_;
  int status_ = -1;
};

}  // namespace hansa::loadgen
