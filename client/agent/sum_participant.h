// The device agent's participation in the secure sum of its task.
//
// Runs a client's machine (protocols/secure_aggregation/client.h) concurrently with the task: keys and shares are
// exchanged while the model arrives and the training runs. Only the masked update is offered. If the sum fails, the
// client declines, and the update stays on the device. Messages of another sum are ignored. No I/O, clock or thread;
// one thread owns it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "client/agent/agent_config.h"
#include "client/agent/effects.h"
#include "client/agent/events.h"
#include "protocols/messages/messages.h"
#include "protocols/round/client_task.h"
#include "protocols/secure_aggregation/client.h"

namespace hansa::client {

struct Say {
  messages::ToAggregator message;
};
// The bytes of a roster, and the device's clock when they came.
struct ArrivedRoster {
  std::span<const std::byte> bytes;
  UtcSeconds at;
};
// Carried out in order. A TaskEvent is passed to the task.
using SumEffect = std::variant<Say, round::TaskEvent, MaskUpdate, RememberOpening, Log>;

class SumParticipant {
 public:
  SumParticipant(std::string federation, std::optional<SecureSums> sums, ReportPolicy reports = {});

  // Fails (refused) if the task has no secure sum and this client requires one, if it has one and this client has no
  // root key, or if the sum is weaker than the client's policy. Fails (protocol) if the sum is not for the task's
  // update, or if the task lets the aggregator choose something for this client alone. client: the name under which the
  // aggregator admitted this client.
  [[nodiscard]] Result<void> check(const messages::TrainTask& task, const std::string& client) const;

  // Begins the sum of a task that has one, or repeats messages that the aggregator may have missed.
  void join(const messages::TrainTask& task, const std::string& client, std::vector<SumEffect>& effects);
  // False in the active threat model until the client has verified the cohort and holds its shares: how a training ends
  // is visible to the aggregator, which must not be able to have a device train for itself alone.
  [[nodiscard]] bool may_train(const messages::TrainTask& task) const;
  // The sum is over: its secrets are destroyed. The trained update is kept, for another attempt.
  void leave() { sum_.reset(); }
  // Another task begins.
  void reset();

  // The training of the task has ended with this update, which must not be sent unmasked.
  void trained(const messages::Offer& update, std::vector<SumEffect>& effects);
  // Called after join(), because the update may be trained already.
  void mask_if_ready(std::vector<SumEffect>& effects);
  void masked(const UpdateMasked& event, std::vector<SumEffect>& effects);
  void remembered(const OpeningRemembered& event, std::vector<SumEffect>& effects);

  void hear(const messages::KeyRoster& message, const ArrivedRoster& roster, std::vector<SumEffect>& effects);
  void hear(const messages::ShareDelivery& message, std::vector<SumEffect>& effects);
  void hear(const messages::SurvivorSet& message, std::vector<SumEffect>& effects);
  void hear(const messages::UnmaskRequest& message, std::vector<SumEffect>& effects);

 private:
  struct Sum {
    TaskId task;
    Digest setup;
    std::string method;
    secure_aggregation::ClientSum machine;
    Digest roster;  // the roster for which `shares` were made
    std::optional<messages::EncryptedShares> shares;
    bool masking = false;  // MaskUpdate was emitted
    // The request that waits until its sum is remembered.
    std::variant<std::monostate, messages::SurvivorSet, messages::UnmaskRequest> waiting;
    std::optional<secure_aggregation::OpenedSum> opening;  // the sum of `waiting`
  };

  [[nodiscard]] bool is_of_sum(TaskId task, const Digest& setup) const;
  // Answers at once if the client remembers that it opens this sum, otherwise when it does.
  template <class Request>
  void open(const Request& request, std::vector<SumEffect>& effects);
  // Whether the request may be answered. Changes nothing.
  [[nodiscard]] Result<void> check_request(const messages::SurvivorSet& m,
                                           const secure_aggregation::Subset& survivors) const;
  [[nodiscard]] Result<void> check_request(const messages::UnmaskRequest& m,
                                           const secure_aggregation::Subset& survivors) const;
  [[nodiscard]] Result<void> check_masked() const;
  void answer(const messages::SurvivorSet& m, std::vector<SumEffect>& effects);
  void answer(const messages::UnmaskRequest& m, std::vector<SumEffect>& effects);
  [[nodiscard]] Result<secure_aggregation::Subset> survivors_of(std::span<const std::uint8_t> bits) const;
  [[nodiscard]] Result<void> check_earlier_sums(const secure_aggregation::OpenedSum& opening) const;
  void fail_sum(TaskId task, const Error& error, std::vector<SumEffect>& effects);
  void report_clock(UtcSeconds now, std::vector<SumEffect>& effects);
  void log_progress(const std::string& what, std::vector<SumEffect>& effects) const;

  std::string federation_;
  std::optional<SecureSums> sums_;
  ReportPolicy reports_;
  std::optional<Sum> sum_;
  std::optional<messages::Offer> trained_;
  bool clock_reported_ = false;  // that the device's clock is not set
};

}  // namespace hansa::client
