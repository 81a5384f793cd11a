// A coordinator on virtual time. Clients are data: tests feed their messages, and the harness keeps what they are sent.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/coordinator/coordinator.h"

namespace hansa::server::testing {

using Verdict = Coordinator::Verdict;

// Three admitted clients a, b, c; a model of 250 floats; chunks of 100 bytes; the first round does not wait for more
// than two clients.
[[nodiscard]] CoordinatorConfig small_config();

struct Peer {
  std::string name;
  PeerId peer;
  std::uint64_t instance = 0;
  SessionId session{};  // of the last Welcome
};

class Harness {
 public:
  // Finds the certificate of a client. Empty: no client has one.
  using Certificates =
      std::function<std::optional<secure_aggregation::Certificate>(const std::string& client)>;
  explicit Harness(CoordinatorConfig config, RoundId last_committed = RoundId(0),
                   Certificates certificates = {});
  Harness(CoordinatorConfig config, RestoredState restored, Certificates certificates = {});

  Verdict apply(const Event& event);
  // Advances the time, with a tick whenever the coordinator needs one. Returns the number of ticks.
  int advance(Duration duration);

  // A client of this name, with its own connection and process.
  [[nodiscard]] Peer peer(const std::string& name);
  Verdict say(const Peer& from, const messages::ToAggregator& message, std::uint64_t bulk_bytes = 0);
  // A message that only an aggregator sends.
  Verdict say_misdirected(const Peer& from, messages::Type type = messages::Grant::type);
  Verdict hello(Peer& from, std::uint64_t examples = 10, const std::string& federation = "harbour");
  // Hello, for a client that must be welcomed.
  [[nodiscard]] Peer connect(const std::string& name, std::uint64_t examples = 10);

  // An update that depends on `content`.
  [[nodiscard]] messages::Offer offer_of(const Peer& from, std::uint8_t content = 1) const;
  // Sends all chunks that are granted to it, from `offset` on, as long as grants come; returns the bytes sent.
  std::uint64_t upload(const Peer& from, std::uint64_t offset = 0);
  // Offers an update, uploads it, and reports it as valid.
  void finish_task(const Peer& from, std::uint8_t content = 1);
  Verdict check(const std::string& client, const Result<void>& outcome = {});
  // Answers the last CommitRound; the new model is derived from the round.
  Verdict commit();

  // What was sent to this connection since the last forget().
  template <class T>
  [[nodiscard]] std::vector<T> sent(const Peer& to) const {
    std::vector<T> out;
    for (const auto& effect : effects)
      if (const auto* send = std::get_if<Send>(&effect); send != nullptr && send->peer == to.peer)
        if (const auto* message = std::get_if<T>(&send->message)) out.push_back(*message);
    return out;
  }
  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& effect : effects)
      if (const auto* found = std::get_if<T>(&effect)) out.push_back(*found);
    return out;
  }
  [[nodiscard]] bool refused(const Peer& to, messages::RefuseReason reason) const;
  [[nodiscard]] TaskId task_of(const Peer& peer) const;
  void forget() { effects.clear(); }

  CoordinatorConfig config;
  Certificates certificates;
  Instant now;
  Coordinator coordinator;
  std::uint32_t opened_sums = 0;  // of the current round, for task_of()
  std::vector<Effect> effects;  // since the last forget()
  std::vector<RoundRecord> committed;  // every CommitRound
  std::vector<Finish> finished;  // every Finish
  std::uint64_t peers = 0;
};

}  // namespace hansa::server::testing
