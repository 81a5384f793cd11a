// The aggregator's head: sessions, cohorts, rounds and transfers as one pure state machine.
//
//   gathering -> in_round [-> unmasking] -> committing -> gathering ... -> finished
//
// Events in, effects out; no I/O, clock or thread, and randomness only from the seeds in its
// configuration. The ZeroMQ shell (server/process) and the simulation drive the same object.
// Its state is rebuilt from the store's last committed round: what happened since is asked for again.
// One thread owns a coordinator.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/random.h"
#include "common/time.h"
#include "common/training.h"
#include "protocols/messages/messages.h"
#include "protocols/round/round.h"
#include "protocols/secure_aggregation/aggregator.h"
#include "server/config/federation_config.h"
#include "server/coordinator/effects.h"
#include "server/store/store.h"

namespace hansa::server {

struct SecureSums {
  secure_aggregation::Assumptions assumptions;
  std::uint32_t value_bits = 8;
  bool rotated = false;
  double fraction = 1;
  Duration phase_max =
      std::chrono::seconds(30);  // of each exchange but the masked vectors', which have the round's
  std::vector<std::string> metrics;  // of the clients, to be summed
  // Of an admitted client; asked when a session opens. Without one it takes no part.
  std::function<std::optional<secure_aggregation::Certificate>(const std::string& client)> certificate;
  std::vector<std::uint64_t> segments;  // values of each parameter, in the order of the flat vector
  // From the last round, for weights as they are; 0 and none: not known.
  double clip = 0;
  std::vector<double> scales;
};

// How models and updates travel.
struct Compression {
  // None: the update's float32 as they are. Not for secure sums, whose updates are rounded for the ring instead.
  std::shared_ptr<const codecs::Plan> uplink;
  bool entropy = true;
  std::shared_ptr<const codecs::Plan> downlink;  // of deltas from model to model; none: models go whole
  std::uint32_t full_every =
      0;  // rounds after which the model goes whole; 0: only where no deltas lead to it
};

// What clients get as the model, and the deltas that lead to it from those that they may have.
struct PublishedModel {
  Digest model;
  Checksum check;
  std::vector<messages::ModelDelta> deltas;
};

struct CoordinatorConfig {
  std::string federation;
  std::string run;
  std::uint64_t seed = 0;  // of cohorts and of the clients' training
  std::uint32_t rounds = 1;
  AfterLastRound after_last_round = AfterLastRound::stop;
  TrainingConfig training;
  CohortConfig cohort;
  LimitsConfig limits;
  Compression compression;
  std::optional<SecureSums> secure_sums;  // without: the aggregator sees every update
  Digest archive;
  std::uint64_t archive_bytes = 0;
  Digest layout;
  std::uint64_t elements = 0;  // of the flat vector
  std::vector<std::string> admitted;  // names, to say who is missing
  std::uint64_t session_seed = 0;  // fresh at every start: session numbers never come again
  Duration lease = std::chrono::seconds(30);  // silence after which a client is gone
  Duration absence = std::chrono::seconds(5);  // without a connection after which a client is gone
  Duration ping = std::chrono::seconds(2);  // silence after which a client is asked for a sign
  Duration stall = std::chrono::seconds(60);  // of a transfer without a byte, in a round that is overdue
  Duration probe = std::chrono::seconds(2);  // for the old session to answer when a second one appears
  // libzmq holds one encrypted chunk for each client that is sent a model: a bound on memory that
  // docs/performance.md weighs against the messages of a small round.
  std::uint32_t chunk_bytes = 256 * 1024;
};

// Events.
struct MessageArrived {
  PeerId peer;
  std::string_view client;  // the name that the transport authenticated
  SessionId session;  // as the header claims
  const messages::ToAggregator& message;
  std::uint64_t bulk_bytes = 0;
};
struct MessageMisdirected {  // only an aggregator sends it
  PeerId peer;
  std::string_view client;
  SessionId session;
  messages::Type type;
  std::uint64_t bulk_bytes = 0;
};
struct MessageMalformed {  // did not decode
  PeerId peer;
  std::string_view client;
  const Error& error;
};
struct PeerGone {
  PeerId peer;
};  // a send found no connection
struct UpdateChecked {  // answers CountUpdate
  std::string client;
  Result<void> outcome;
};
struct RoundCommitted {
  RoundId round;
  Digest model;
  PublishedModel published = {};
  // Of a secure sum.
  double next_clip = 0;
  std::vector<double> next_scales = {};
};  // answers CommitRound
struct SumRefused {
  RoundId round;
  std::string reason;
};  // answers CommitRound of a secure sum that is no sum of updates
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<MessageArrived, MessageMisdirected, MessageMalformed, PeerGone, UpdateChecked,
                           RoundCommitted, SumRefused, TickEvent, StopAsked>;

enum class Phase : std::uint8_t { gathering, in_round, unmasking, committing, finished };

// For progress displays.
struct Progress {
  Phase phase = Phase::gathering;
  RoundId round;  // the one in work, or the last
  std::uint32_t rounds = 0;
  std::uint32_t attempt = 1;
  std::uint32_t connected = 0;
  std::vector<round::Member> members;  // of the round in work
  std::string secure;  // what a secure sum waits for: "keys of 3 of 10"; empty without one
  std::vector<std::string> missing;  // gathering: expected and not connected
  Duration waited{};  // since the phase began
};

struct Member;  // server/coordinator/internal/member.h
struct SecureRound;  // server/coordinator/internal/secure_round.h

class Coordinator {
 public:
  Coordinator(CoordinatorConfig config, RoundId last_committed, const Digest& model, PublishedModel published,
              Instant now);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Accepted: the state changed or an answer goes out as the protocol wants. Rejected: refused, with a
  // reason to the sender and the log. Discarded: stale or doubled, and changes nothing.
  enum class Verdict : std::uint8_t { accepted, rejected, discarded };
  Verdict apply(const Event& event, Instant now, std::vector<Effect>& effects);

  // When TickEvent is due at the latest.
  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] RoundId last_committed() const { return last_committed_; }
  [[nodiscard]] const Digest& model() const { return model_; }
  [[nodiscard]] const PublishedModel& published() const { return published_; }
  [[nodiscard]] Progress progress(Instant now) const;

 private:
  // Sessions (sessions.cpp).
  Verdict on_message(const MessageArrived& event);
  Verdict on_misdirected(const MessageMisdirected& event);
  // The client whose open session this is; it has been heard. None: no session of that number is open there.
  Member* heard_from(PeerId peer, std::string_view client, SessionId session);
  // A message outside of a session.
  Verdict refuse_stranger(PeerId peer, std::string_view client);
  Verdict on_hello(PeerId peer, const std::string& client, const messages::Hello& hello);
  void open_session(Member& member, PeerId peer, const messages::Hello& hello);
  void end_session(Member& member, const std::string& why);
  Verdict refuse(PeerId peer, const std::string& client, messages::RefuseReason reason, std::string what,
                 std::string hint, std::uint32_t retry_after_ms = 0);
  Verdict violation(Member& member, const std::string& what);
  void settle_newcomer(Member& member, bool old_one_lives);
  void check_leases();

  // Rounds (rounds.cpp).
  void start_round_if_ready();
  void start_round(const std::vector<std::string>& eligible);
  [[nodiscard]] std::vector<std::string> eligible_clients() const;
  [[nodiscard]] std::vector<std::string> missing_clients() const;
  [[nodiscard]] std::uint64_t training_seed(const Member& member) const;
  [[nodiscard]] std::uint64_t cohort_seed() const;  // of the round in work
  [[nodiscard]] messages::TrainTask make_task(const Member& member) const;
  void send_task(Member& member);
  void repeat_lost_task(Member& member, TaskId at_work_on);
  void apply_to_round(const round::Event& event);
  void wait_for_what_moves();
  void close_round();
  void seal();
  [[nodiscard]] RoundRecord make_record();
  void commit(CommitRound commit);
  void abandon(const std::string& too_few);
  void on_committed(const RoundCommitted& event);
  void finish(Finish::Why why, const std::string& text);

  // Transfers (transfers.cpp).
  [[nodiscard]] std::uint64_t model_blob_bytes(const Digest& blob) const;
  [[nodiscard]] UpdateSizes update_sizes() const;
  [[nodiscard]] UpdateTicket make_ticket(const Member& member) const;
  [[nodiscard]] std::string wrong_size(std::uint64_t bytes) const;
  Verdict on_pull(Member& member, const messages::Pull& pull);
  Verdict on_offer(Member& member, const messages::Offer& offer);
  Verdict on_chunk(Member& member, const messages::UpdateChunk& chunk, std::uint64_t bulk_bytes);
  Verdict on_decline(Member& member, const messages::Decline& decline);
  void on_data(Member& member, const messages::DataReport& data);
  Verdict on_checked(const UpdateChecked& event);
  void reject_update(Member& member, const std::string& reason);
  void grant(Member& member);
  [[nodiscard]] std::uint64_t window_cap() const;
  void grant_waiting();
  [[nodiscard]] Instant earliest_grant(const Member& member) const;
  void drop_spool(Member& member);
  void clear_upload_queue();
  void release_upload(Member& member);

  // Secure sums (secure_rounds.cpp).
  void begin_secure_sum(const std::vector<std::string>& cohort);
  void repeat_sum_message(Member& member);
  void drop_from_round(Member& member, const std::string& reason);
  void advance_secure_sum();
  [[nodiscard]] bool waits_for_phase() const;
  [[nodiscard]] std::string secure_progress() const;
  void fix_roster();
  void fix_sharers();
  void begin_unmasking();
  void end_secure_sum();
  void ask_to_unmask(Member& member);
  void ask_all_to_unmask();
  void try_unmask(bool last);
  [[nodiscard]] std::optional<secure_aggregation::Position> position_in_sum(const Member& member) const;
  [[nodiscard]] bool is_of_sum(const Member& member, TaskId task, const Digest& setup) const;
  Verdict on_advert(Member& member, const messages::KeyAdvert& advert);
  Verdict on_shares(Member& member, const messages::EncryptedShares& shares);
  Verdict on_signature(Member& member, const messages::SurvivorSignature& signature);
  Verdict on_unmask_shares(Member& member, const messages::UnmaskShares& shares);
  Verdict on_sum_refused(const SumRefused& event);

  Member& member(std::string_view client);
  void send(const Member& member, messages::ToClient message);
  void log(Log::Level level, std::string text);

  CoordinatorConfig config_;
  RoundId last_committed_;
  Digest model_;
  PublishedModel published_;
  Random session_numbers_;
  Phase phase_ = Phase::gathering;
  Finish::Why finished_why_ = Finish::Why::all_rounds;  // when phase_ is finished
  Instant phase_began_;
  Instant retry_at_;  // no attempt before
  bool stop_asked_ = false;  // while a commit was in progress: it ends first
  bool gathered_ = false;  // the first round's wait for clients_expected is over
  std::uint32_t attempt_ = 1;
  std::optional<round::Round> round_;
  std::unique_ptr<SecureRound> secure_;  // of the round in work
  // Of the next secure sum, for weights as they are; 0 and none: not known.
  double clip_ = 0;
  std::vector<double> scales_;
  Instant round_began_;
  std::uint32_t uploads_ = 0;  // granted and not complete
  std::uint64_t spooled_bytes_ = 0;  // of all open spools, when they are full
  std::deque<std::string> upload_queue_;
  std::map<std::string, std::unique_ptr<Member>, std::less<>> members_;
  Instant newcomers_until_ = Instant::max();  // none of them is due before

  // Of the call to apply() in progress.
  Instant now_;
  std::vector<Effect>* effects_ = nullptr;
};

// The task of one client in one round of one run. The same after a restart and in a later attempt, so
// that a client's finished update still answers it.
[[nodiscard]] TaskId make_task_id(std::uint64_t seed, std::string_view run, RoundId round,
                                  std::string_view client);

}  // namespace hansa::server
