// One training round as the aggregator sees it: a pure state machine.
//
//   training -> sealed -> committed
//   training -> failed
//
// A round is open (training) while it waits for its cohort. With the quorum counted it is sealed when no member is
// pending, or at the deadline; without the quorum it fails, and the aggregator tries again. Once the quorum is counted
// no member can make the round fail, unless its secure sum cannot be opened: absent members are not waited for. Until
// then the aggregator may extend the wait beyond the deadline for updates that are arriving, and a round that cannot
// reach its quorum without a member that has left fails at once. Every state x event pair:
// docs/round.md. The phases follow Bonawitz et al., "Towards Federated Learning at Scale" (MLSys 2019), section 2.2.
//
// No I/O, clock, thread or random source; one thread owns a round. Equal events give equal effects.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/time.h"

namespace hansa::round {

// Index in this round's cohort.
using MemberIndex = Identifier<struct MemberTag, std::uint32_t>;

enum class State : std::uint8_t { training, sealed, committed, failed };

enum class MemberState : std::uint8_t {
  pending,  // has the task; its session is not known to have ended
  absent,  // its session ended; it may come back
  left,  // it said that it leaves; nobody waits for it, but it may come back
  verifying,  // its update is complete and being verified
  counted,  // its update is in the sum
  declined,
  rejected,
};

struct UpdateComplete {
  MemberIndex member;
};
struct UpdateCounted {
  MemberIndex member;
};
struct UpdateRejected {
  MemberIndex member;
  std::string reason;
};
struct TaskDeclined {
  MemberIndex member;
  std::string reason;
};
struct MemberLost {
  MemberIndex member;
};
struct MemberLeft {
  MemberIndex member;
};
struct MemberReturned {
  MemberIndex member;
};
struct Tick {};
struct CommitDone {};
using Event = std::variant<UpdateComplete, UpdateCounted, UpdateRejected, TaskDeclined, MemberLost,
                           MemberLeft, MemberReturned, Tick, CommitDone>;

struct Seal {};  // make the sum durable; then apply CommitDone
struct Abandon {
  std::string reason;
};
using Effect = std::variant<Seal, Abandon>;

enum class Verdict : std::uint8_t { accepted, discarded };

struct Config {
  std::uint32_t quorum = 1;  // updates needed: 1 to the cohort's size
  Instant deadline;
};

struct Member {
  std::string client;
  MemberState state = MemberState::pending;
  std::string reason;  // of declined and rejected
};

class Round {
 public:
  static constexpr std::uint32_t cohort_max = 100'000;

  // Fails (quorum) if the cohort is empty, too large, or smaller than the quorum.
  [[nodiscard]] static Result<Round> create(RoundId id, const Config& config,
                                            const std::vector<std::string>& cohort);

  // Appends to effects what must be done, in order. An event that is not valid in the current state (repeated, for a
  // member in a final state, or after the round closed) is discarded and changes nothing.
  [[nodiscard]] Verdict apply(const Event& event, Instant now, std::vector<Effect>& effects);

  [[nodiscard]] RoundId id() const { return id_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Instant deadline() const { return config_.deadline; }
  // The instant from which a Tick closes the round.
  [[nodiscard]] Instant closes_at() const;
  // While the round lacks its quorum, it stays open until this moment, even after the deadline.
  void wait_until(Instant moment) { overtime_ = moment; }
  [[nodiscard]] std::uint32_t quorum() const { return config_.quorum; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] std::uint32_t count(MemberState state) const;

 private:
  Round(RoundId id, const Config& config) : id_(id), config_(config) {}
  bool move(MemberIndex member, std::initializer_list<MemberState> from, MemberState to,
            const std::string& reason);
  void close_if_due(Instant now, std::vector<Effect>& effects);

  RoundId id_;
  Config config_;
  Instant overtime_ = config_.deadline;
  State state_ = State::training;
  std::vector<Member> members_;
  std::array<std::uint32_t, 7> counts_{};  // by MemberState
};

[[nodiscard]] const char* name(State state) noexcept;
[[nodiscard]] const char* name(MemberState state) noexcept;

}  // namespace hansa::round
