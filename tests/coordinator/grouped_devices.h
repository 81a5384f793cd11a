// A coordinator of groups (buffered aggregation with secure aggregation), and devices with real machines for secure sums that
// answer what they are sent. Their vectors do not matter.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocols/secure_aggregation/client.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {

// Groups of three clients, which may lose one of them; models without end.
[[nodiscard]] CoordinatorConfig grouped_config(const std::vector<std::string>& names);

class GroupedDevices {
 public:
  struct Device {
    Peer peer;
    secure_aggregation::SigningKey key = *secure_aggregation::SigningKey::generate();
    std::optional<secure_aggregation::ClientSum> sum;  // of the last task
    messages::TrainTask task;
    Digest setup;
    bool is_trained = false, is_offered = false;
    bool pulls = true;  // the model of its task, at once
    int tasks = 0;  // with another setup than the one before
  };

  GroupedDevices(const CoordinatorConfig& config, const std::vector<std::string>& names);

  // All devices connect, in the order of their names.
  void connect_all();
  // A new process of the device connects. The aggregator may refuse it, if it was hostile.
  void connect(const std::string& name);
  // The device has trained its task: it offers its update as soon as it may.
  void train(const std::string& name);
  void train(const std::vector<std::string>& names);
  // The devices answer everything that they were sent, and the shell verifies complete updates. Commits are not answered.
  void drain();
  // What the devices were sent is lost.
  void lose();
  // Answers the last CommitRound, then drains.
  Verdict commit();

  [[nodiscard]] Device& of(const std::string& name) { return devices_.at(name); }
  [[nodiscard]] std::map<std::string, Device>& all() { return devices_; }
  // The clients that have a task with the same setup as this one, sorted.
  [[nodiscard]] std::vector<std::string> group_of(const std::string& name) const;

  Harness h;
  // Of all effects in their order; null: nobody looks.
  std::function<void(const Effect&)> watch;
  // What the shell says about a complete update. Empty: it is valid.
  std::function<Result<void>(const std::string& client)> verify;
  std::vector<CommitRound> commits;  // with what opens their sums

 private:
  void deliver(Device& device, const messages::ToClient& message, std::span<const std::byte> bulk);
  void offer(Device& device);

  secure_aggregation::SigningKey root_ = *secure_aggregation::SigningKey::generate();
  std::map<std::string, Device> devices_;
  std::size_t seen_ = 0;  // effects
};

}  // namespace hansa::server::testing
