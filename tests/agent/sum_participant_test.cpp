// The part in a secure sum alone: what each message does before and after the client has joined. The whole exchange:
// secure_sum_test.cpp.
#include "client/agent/sum_participant.h"

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/packing.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

namespace sa = secure_aggregation;

class SumParticipantTable : public ::testing::Test {
 protected:
  SumParticipantTable() { sums.policy.honest_min = sa::honest_min_least; }  // the cohort is of three
  sa::SigningKey root = *sa::SigningKey::generate();
  SecureSums sums{
      std::make_shared<const sa::SigningKey>(*sa::SigningKey::generate()), root.public_key(), {}, true};
  messages::TrainTask task = secure_task();
  Digest setup = messages::sum_setup("harbour", task).digest();

  static messages::TrainTask secure_task() {
    messages::TrainTask out = Harness().make_task();
    out.magnitude_max = 64;
    out.secure.emplace();
    out.secure->clients = 3;
    out.secure->segments = {{100, 1}};
    out.secure->quantisation = {255, sa::ring_bits(3, 255), 1, 10};
    bind_work(out);
    return out;
  }
  template <class T>
  static std::size_t said(const std::vector<SumEffect>& effects) {
    std::size_t out = 0;
    for (const auto& effect : effects)
      if (const auto* say = std::get_if<Say>(&effect)) out += std::holds_alternative<T>(say->message) ? 1 : 0;
    return out;
  }
  static std::size_t cancels(const std::vector<SumEffect>& effects) {
    std::size_t out = 0;
    for (const auto& effect : effects)
      if (const auto* event = std::get_if<round::TaskEvent>(&effect))
        out += std::holds_alternative<round::CancelArrived>(*event) ? 1 : 0;
    return out;
  }
};

TEST_F(SumParticipantTable, EachMessageIsIgnoredOrEndsTheSumAsTheTableSays) {
  using Call = void (*)(SumParticipant&, TaskId, const Digest&, std::vector<SumEffect>&);
  const Call calls[] = {
      [](auto& p, TaskId t, const Digest& s, auto& out) {
        p.hear(messages::KeyRoster{t, s}, {}, out);
      },
      [](auto& p, TaskId t, const Digest& s, auto& out) {
        p.hear(messages::ShareDelivery{t, s, {1}, {}}, out);
      },
      [](auto& p, TaskId t, const Digest& s, auto& out) {
        p.hear(messages::SurvivorSet{t, s, {7}}, out);
      },
      [](auto& p, TaskId t, const Digest& s, auto& out) {
        p.hear(messages::UnmaskRequest{t, s, {7}, {}}, out);
      },
      [](auto& p, TaskId t, const Digest& s, auto& out) {
        p.masked(UpdateMasked{t, s, {}, 4}, out);
      },
      [](auto& p, TaskId, const Digest&, auto& out) { p.mask_if_ready(out); },
  };
  struct Row {
    const char* stage;
    bool joins;
    bool same_setup;
    const char* outcome;  // '-': nothing; 'x': the sum fails, and the client declines
  };
  const Row table[] = {{"not joined", false, true, "------"},
                       {"joined", true, true, "xxxx--"},
                       {"joined another attempt", true, false, "------"}};
  for (const Row& row : table) {
    for (std::size_t i = 0; i < std::size(calls); ++i) {
      SCOPED_TRACE(std::string(row.stage) + " x call " + std::to_string(i));
      SumParticipant participant("harbour", sums);
      std::vector<SumEffect> effects;
      if (row.joins) participant.join(task, "a", effects);
      EXPECT_EQ(said<messages::KeyAdvert>(effects), row.joins ? 1U : 0U);
      effects.clear();
      calls[i](participant, task.task, row.same_setup ? setup : sha256("another"), effects);
      const std::size_t failed = row.outcome[i] == 'x' ? 1 : 0;
      EXPECT_EQ(said<messages::Decline>(effects), failed);
      EXPECT_EQ(cancels(effects), failed);
      EXPECT_EQ(effects.empty(), failed == 0);
      if (failed == 0) continue;
      effects.clear();
      calls[i](participant, task.task, setup, effects);
      EXPECT_TRUE(effects.empty()) << "the sum is over";
    }
  }
}

TEST_F(SumParticipantTable, ATaskThatIsSentAgainRepeatsTheKeysOfTheSameSum) {
  SumParticipant participant("harbour", sums);
  std::vector<SumEffect> first, again;
  participant.join(task, "a", first);
  participant.join(task, "a", again);
  ASSERT_EQ(said<messages::KeyAdvert>(first), 1U);
  ASSERT_EQ(said<messages::KeyAdvert>(again), 1U);
  const auto keys = [](const std::vector<SumEffect>& effects) {
    for (const auto& effect : effects)
      if (const auto* say = std::get_if<Say>(&effect))
        if (const auto* advert = std::get_if<messages::KeyAdvert>(&say->message))
          return advert->advert.mask_key;
    return decltype(sa::Advert::mask_key){};
  };
  EXPECT_EQ(keys(first), keys(again));
  task.secure->attempt = 1;
  std::vector<SumEffect> other;
  participant.join(task, "a", other);
  EXPECT_NE(keys(first), keys(other)) << "another attempt has other keys";
}

TEST_F(SumParticipantTable, ASumThatIsNotForTheTasksUpdateIsRefused) {
  const SumParticipant participant("harbour", sums);
  EXPECT_TRUE(participant.check(task, "a"));
  task.outputs.push_back({"control", 100, {}});
  const auto checked = participant.check(task, "a");
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().text().find("segments that are not the update's"), std::string::npos);
  task.secure->segments = {{100, 1}, {100, 1}};
  EXPECT_TRUE(participant.check(task, "a"));
}

}  // namespace
}  // namespace hansa::client::testing
