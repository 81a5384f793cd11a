// One attempt at a round: the machine that counts its members (protocols/round/round.h), and what is known about each
// of them in this attempt. The phases pass it on, from training to the commit.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "common/methods.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/round/round.h"
#include "server/coordinator/config.h"
#include "server/selection/contradictions.h"
#include "server/selection/set_aside.h"

namespace hansa::server {

// A client of the cohort.
struct Participant {
  std::string client;
  round::MemberIndex index;
  TaskId task;
  std::uint64_t seed = 0;  // of its training
  Instant asked_at;  // when the task was sent first
  Instant task_sent_at;  // when it was sent last
  double seconds = 0;  // from the task to the last byte of the update
  std::uint64_t pulled = 0;  // bytes
  bool has_model = false;  // as far as is known: it has pulled the last bytes of the model
  std::optional<Instant> moved_at;  // last progress: a Pull, or a chunk of the update
  messages::Offer offer;  // the last one
  std::vector<double> norms = {};  // of the vectors of its counted update; empty: not known
  std::optional<SetAside::Why> set_aside = {};  // why, if it was set aside in this attempt
};

// What the tasks of a cohort are about.
struct CohortWork {
  std::shared_ptr<const PublishedModel> model;  // that the clients train
  Method method;
  Measure measure = Measure::no;  // whether they measure the model
};

class ActiveRound {
 public:
  // participants: sorted by name, like the round's members.
  ActiveRound(round::Round round, std::uint32_t attempt, Instant began, CohortWork work,
              std::vector<Participant> participants)
      : round_(std::move(round)),
        attempt_(attempt),
        began_(began),
        work_(std::move(work)),
        participants_(std::move(participants)) {}

  [[nodiscard]] RoundId id() const { return round_.id(); }
  [[nodiscard]] std::uint32_t attempt() const { return attempt_; }
  [[nodiscard]] Instant began() const { return began_; }
  [[nodiscard]] const CohortWork& work() const { return work_; }
  [[nodiscard]] const round::Round& round() const { return round_; }
  [[nodiscard]] std::vector<Participant>& participants() { return participants_; }
  [[nodiscard]] const std::vector<Participant>& participants() const { return participants_; }
  [[nodiscard]] std::vector<std::string> names() const;
  // Of those whose update is in the sum.
  [[nodiscard]] std::vector<std::string> counted_names() const;
  // Null if the client is not in the cohort.
  [[nodiscard]] Participant* find(std::string_view client);
  [[nodiscard]] round::MemberState state(const Participant& participant) const {
    return round_.members()[participant.index.value].state;
  }
  // Pending, absent or left: its update may still come.
  [[nodiscard]] bool is_expected(const Participant& participant) const;

  void apply(const round::Event& event, Instant now);
  // Extends the deadline of a round that lacks its quorum.
  void wait_until(Instant moment) { round_.wait_until(moment); }
  void abandon(std::string reason);

  [[nodiscard]] bool is_open() const { return !is_sealed_ && !abandoned_; }
  // Why the attempt failed; empty: it has not failed.
  [[nodiscard]] const std::optional<std::string>& abandoned() const { return abandoned_; }

  // A client that takes no further part. The current phase rejects its update with this reason.
  struct Drop {
    std::string client;
    std::string reason;
  };
  // The attempt is about to fail because of this participant's update, which was counted.
  void accuse(const Participant& participant, std::string what) {
    accused_.push_back({participant.client, std::move(what)});
  }
  [[nodiscard]] const std::vector<Drop>& accused() const { return accused_; }

  void drop(const Participant& participant, std::string reason) {
    drops_.push_back({participant.client, std::move(reason)});
  }
  // What its clients said and did in this attempt that cannot both be right.
  [[nodiscard]] Contradictions& contradictions() { return contradictions_; }
  [[nodiscard]] const Contradictions& contradictions() const { return contradictions_; }
  [[nodiscard]] std::vector<Drop> take_drops() { return std::exchange(drops_, {}); }

 private:
  round::Round round_;
  std::uint32_t attempt_;
  Instant began_;
  CohortWork work_;
  std::vector<Participant> participants_;
  std::vector<Drop> drops_, accused_;
  Contradictions contradictions_;
  bool is_sealed_ = false;
  std::optional<std::string> abandoned_;
};

}  // namespace hansa::server
