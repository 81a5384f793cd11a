// Data that arrives, for the trainer: a feed taken into the client's state, and training on what is new there plus
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
  std::string consumer;  // this client to a broker
  learning::OpenDataSource open;  // whole files of a folder: learning::open_examples
};

class FollowedData final : public learning::DataSupply {
 public:
  // What happened in the background: something was taken, or cannot be. On the thread that takes.
  struct Observer {
    std::function<void()> changed;
    std::function<void(const std::string&)> warn;  // once each
  };

  FollowedData(FollowedDataConfig config, std::shared_ptr<StateStore> store);
  ~FollowedData() override;  // ends the thread

  // From now on a thread of its own takes what arrives.
  void start(Observer observer);
  void stop();  // returns when the observer is called no more
  // Takes what has arrived by now, on the caller's thread: for those that did not start().
  [[nodiscard]] Result<void> take_all();

  [[nodiscard]] Result<learning::AvailableData> available() override;
  [[nodiscard]] Result<learning::TrainingData> open() override;
  [[nodiscard]] Result<void> counted(std::uint64_t mark) override;

 private:
  void serve(const std::stop_token& quit, const Observer& observer);
  enum class Took : std::uint8_t { something, nothing, full };
  [[nodiscard]] Result<Took> take_one();
  void tell(const Observer& observer, const std::string& problem);
  void wake();

  FollowedDataConfig config_;
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<learning::Feed> feed_;  // of the taking thread
  std::uint64_t feed_generation_ = 0;
  std::string problem_told_;
  std::mutex mutex_;
  std::string problem_;  // why nothing more is taken; empty: all is well
  Descriptor wake_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace hansa::client
