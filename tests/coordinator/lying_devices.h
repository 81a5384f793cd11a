// A federation of real clients of secure sums on a coordinator, of which some lie. Vectors have no content here: a sum
// is refused if a client takes part whose vector is said to be bad.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/random.h"
#include "protocols/secure_aggregation/client.h"
#include "tests/coordinator/harness.h"

namespace hansa::server::testing {

enum class Lie : std::uint8_t {
  none,
  reveals_garbage,  // answers with wrong shares
  deals_garbage,  // sends shares that cannot be decrypted
  accuses,  // says that another one's shares cannot be decrypted: always the first one's
  bad_vector,  // makes the sum refused
  reveals_nothing,
};

class LyingDevices {
 public:
  // Clients "c00", "c01" ...; the lies of the others are `none`.
  LyingDevices(CoordinatorConfig config, std::uint32_t clients, std::map<std::string, Lie> lies,
               secure_aggregation::ThreatModel model = secure_aggregation::ThreatModel::honest_but_curious);

  // Until that many rounds are committed, the run ends, or `attempts_max` attempts have begun.
  void run(std::uint32_t rounds, std::uint32_t attempts_max);

  [[nodiscard]] std::uint32_t rounds() const {
    return static_cast<std::uint32_t>(h->coordinator.last_committed().value);
  }
  [[nodiscard]] bool logged(const std::string& text) const;
  [[nodiscard]] std::string log() const;

  std::optional<Harness> h;
  std::uint32_t attempts = 0;  // that began
  std::uint32_t refused_sums = 0;
  std::map<std::string, std::uint32_t> left_out;  // how often a client was left out for its faults
  std::vector<std::string> lines;
  std::vector<std::set<std::string>> cohorts;  // of each attempt

 private:
  struct Device {
    Peer peer;
    secure_aggregation::SigningKey key = *secure_aggregation::SigningKey::generate();
    Lie lie = Lie::none;
    std::optional<secure_aggregation::ClientSum> sum;
    TaskId task;
    Digest setup;
  };
  void carry_out(const Effect& effect);
  void take(Device& device, const messages::ToClient& message);
  void begin(Device& device, const messages::TrainTask& task);
  void share(Device& device, const std::vector<std::byte>& roster);
  void take_delivery(Device& device, const messages::ShareDelivery& delivery);
  void answer(Device& device, const messages::UnmaskRequest& request);

  secure_aggregation::SigningKey root_ = *secure_aggregation::SigningKey::generate();
  std::map<std::string, Device> devices_;
  std::map<std::uint64_t, std::string> by_peer_;
  Random random_{1};
};

[[nodiscard]] CoordinatorConfig secure_config(std::uint32_t clients);

}  // namespace hansa::server::testing
