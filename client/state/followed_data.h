// Arriving data. The examples of a feed are stored in the client's state, and a training gets the new ones and those of
// the replay reservoir.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "client/state/state_store.h"
#include "common/descriptor.h"
#include "learning/data_supply.h"

namespace hansa::client {

struct FollowedDataConfig {
  learning::DataConfig data;
  learning::FollowConfig follow;
  std::string consumer;  // this client's name at a broker
  learning::OpenDataSource open;  // whole files of a folder: learning::open_examples
};

class FollowedData final : public learning::DataSupply {
 public:
  // Learns what happens in the background: examples were stored, or cannot be. Called on the background thread.
  struct Observer {
    std::function<void()> changed;
    std::function<void(const Error&)> warn;  // once each
  };

  FollowedData(FollowedDataConfig config, std::shared_ptr<StateStore> store);
  ~FollowedData() override;  // ends the thread

  // Starts a thread that stores what arrives.
  void start(Observer observer);
  void stop();  // when it returns, the observer is not called again
  // Stores what has arrived by now, on the caller's thread. Must not be called after start().
  [[nodiscard]] Result<void> take_all();
  // What the operator should know of what take_all() has read, each once.
  [[nodiscard]] std::vector<Error> take_notes();

  [[nodiscard]] Result<learning::AvailableData> available() override;
  [[nodiscard]] Result<learning::TrainingData> open(TaskId task) override;
  void room_again() override { wake(); }

 private:
  void serve(const std::stop_token& quit, const Observer& observer);
  enum class Took : std::uint8_t { something, nothing, full };
  [[nodiscard]] Result<Took> take_one();
  void widen_ranges(const std::vector<ValueRange>& found);
  void report(const Observer& observer, std::optional<Error> problem);
  void wake();

  FollowedDataConfig config_;
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<learning::Feed> feed_;  // used only by the thread that stores data
  std::uint64_t feed_generation_ = 0;
  std::string problem_reported_;
  std::mutex mutex_;
  std::optional<Error> problem_;  // why no more data is stored; empty: no problem
  std::vector<ValueRange> ranges_;  // of the columns of what was stored since the start
  Descriptor wake_;
  std::jthread thread_;  // the last member, because the thread uses all others
};

}  // namespace hansa::client
