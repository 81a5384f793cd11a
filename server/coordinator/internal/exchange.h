// How the updates of a round are exchanged: in the open, or as a secure sum. A round has one exchange. Its phases use
// this interface and do not depend on the kind.
//
//   begin -> [messages and advance, while the cohort trains] -> begin_opening -> [messages and opening] -> end
//
// Two implementations: plain_exchange.h and secure_exchange.h. Pure: no I/O, clock or thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "server/aggregation/update_setup.h"
#include "server/coordinator/config.h"
#include "server/coordinator/events.h"
#include "server/coordinator/internal/active_round.h"
#include "server/coordinator/internal/clients.h"
#include "server/coordinator/internal/sessions.h"
#include "server/coordinator/internal/turn.h"
#include "server/store/store.h"

namespace hansa::server {

// What a client did that a round waited or failed for.
struct Fault {
  std::string client;
  std::string what;
};

// Whether the sum of a sealed round can be read.
struct Opening {
  enum class State : std::uint8_t { waiting, ready, failed } state = State::waiting;
  std::string reason;  // failed
  std::optional<SumOpening> sum = {};  // ready: what unmasks it, if it is masked
  std::vector<Fault> faults = {};
  std::vector<Contradiction> contradictions = {};
  bool is_explained = false;  // failed, and no client is to blame: nobody is searched for
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  // The cohort is fixed, and tasks are about to be sent.
  virtual void begin(Turn& turn) = 0;
  // Adds the parameters of the exchange to a participant's task.
  virtual void describe(messages::TrainTask& task) const = 0;
  // Called after a participant was sent its task. Sends the messages that it may have missed while it was disconnected.
  virtual void repeat(const Participant& participant, Turn& turn) = 0;
  // A participant has a new session.
  virtual void on_reconnected(const Participant& participant, Process process, ActiveRound& round,
                              Turn& turn) = 0;

  [[nodiscard]] virtual UpdateSizes sizes() const = 0;
  // False for an offer that belongs to an earlier attempt.
  [[nodiscard]] virtual bool is_current(const messages::Offer& offer) const = 0;
  // Fails (protocol) if the participant may not send such an update now.
  [[nodiscard]] virtual Result<UpdateTicket> admit(const Participant& participant,
                                                   const messages::Offer& offer) const = 0;
  // The verdict that is sent to a participant when its update is in the sum: counted, or summed, and then counted at the commit.
  [[nodiscard]] virtual messages::Verdict receipt() const = 0;
  // Called when the participant's update is in the sum. Fails (protocol) if the update came too late.
  [[nodiscard]] virtual Result<void> on_counted(const Participant& participant) = 0;

  // Messages of secure aggregation. By default they are discarded, because there is no secure sum.
  virtual Verdict on_advert(const Participant&, const messages::KeyAdvert&, ActiveRound&, Turn&) {
    return Verdict::discarded;
  }
  virtual Verdict on_shares(const Participant&, const messages::EncryptedShares&, ActiveRound&, Turn&) {
    return Verdict::discarded;
  }
  virtual Verdict on_signature(const Participant&, const messages::SurvivorSignature&, Turn&) {
    return Verdict::discarded;
  }
  virtual Verdict on_unmask_shares(const Participant&, const messages::UnmaskShares&, Turn&) {
    return Verdict::discarded;
  }
  virtual Verdict on_masks_opened(const MasksOpened&, Turn&) { return Verdict::discarded; }
  // A survivor refuses to help to open the sum.
  virtual Verdict on_refused_opening(const Participant&, const messages::Report&, Turn&) {
    return Verdict::discarded;
  }

  // Called after each event while the cohort trains. Ends an exchange of keys or shares when all participants have
  // answered or its time is over; may drop participants or abandon the round.
  virtual void advance(ActiveRound& round, Turn& turn) = 0;
  // Called after advance(), if the round is still open when the drops have been carried out. Sends what participants
  // must receive now.
  virtual void announce(ActiveRound& round, Turn& turn) = 0;

  // Called when the round is sealed. Asks its members for what opens the sum.
  [[nodiscard]] virtual Result<void> begin_opening(ActiveRound& round, Turn& turn) = 0;
  // Called after each event, until the result is not `waiting`.
  [[nodiscard]] virtual Opening opening(const ActiveRound& round, const Sessions& sessions, Turn& turn) = 0;
  // Adds the facts about the exchange to the round's record.
  virtual void complete(RoundRecord& record, Duration opening_time) const = 0;
  // Called when the round is committed or abandoned.
  virtual void end(const ActiveRound& round, Turn& turn) = 0;

  // Earliest time at which advance() or opening() has something to do; Instant::max() without a limit.
  [[nodiscard]] virtual Instant next_tick() const = 0;
  // The client at this position of the roster that the clients were sent; empty if there is none.
  [[nodiscard]] virtual std::string member(std::uint64_t) const { return {}; }
  // Whether the participant was sent shares of that client.
  [[nodiscard]] virtual bool was_sent_shares(const Participant&, std::string_view /*of*/) const {
    return false;
  }
  // The most others that an honest client can contradict.
  [[nodiscard]] virtual std::uint32_t contradictors_max() const { return 1; }
  // What the exchange waits for, for displays; may be empty.
  [[nodiscard]] virtual std::string progress(const ActiveRound& round) const = 0;
};

// What an exchange begins with.
struct ExchangeStart {
  RoundId round;
  std::uint32_t attempt = 1;
  std::span<const std::string> cohort;
  const Clients& clients;
  const messages::TrainTask& task;  // make_common_task()
  std::uint64_t seed = 0;  // of the round's training: round_seed()
  SumNumber sum = 0;
};

// Creates the exchanges of a federation, and keeps the state that one round passes to the next.
class ExchangeFactory {
 public:
  virtual ~ExchangeFactory() = default;
  [[nodiscard]] virtual std::uint32_t cohort_max() const = 0;
  [[nodiscard]] virtual std::uint32_t cohort_min() const = 0;
  // The updates of a cohort without which nothing can come of the exchange.
  [[nodiscard]] virtual std::uint32_t updates_min(std::uint32_t cohort) const = 0;
  [[nodiscard]] virtual bool needs_certificates() const = 0;
  // Why the client cannot take part; empty: it can.
  [[nodiscard]] virtual std::string what_lacks(const Client& client) const = 0;
  // Fails (quorum, usage) if the cohort cannot form an exchange.
  [[nodiscard]] virtual Result<std::unique_ptr<Exchange>> create(const ExchangeStart& start, Turn& turn) = 0;
  virtual void on_committed(const RoundCommitted& committed) = 0;
  // A sum was refused because of its values.
  virtual void on_sum_refused() {}
};

// config outlives the factory.
[[nodiscard]] std::unique_ptr<ExchangeFactory> make_exchange_factory(const CoordinatorConfig& config,
                                                                     const SumRange& range);

}  // namespace hansa::server
