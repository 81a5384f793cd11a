// Groups of buffered aggregation with secure aggregation: who is in one, what becomes of their sums, and that a group concerns
// no other.
#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/coordinator/internal/ready_queue.h"
#include "tests/coordinator/grouped_devices.h"

namespace hansa::server::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

const std::vector<std::string> six{"a", "b", "c", "d", "e", "f"};

std::vector<std::string> names_of(const ReadyQueue& queue) {
  std::vector<std::string> out;
  for (const ReadyQueue::Entry& entry : queue.order()) out.push_back(entry.client);
  return out;
}

TEST(ReadyQueue, KeepsTheOrderInWhichClientsBecameReady) {
  const Instant now{};
  ReadyQueue queue;
  queue.update(std::vector<std::string>{"b", "c"}, now);
  queue.update(std::vector<std::string>{"a", "b", "c"}, now + seconds(1));
  EXPECT_THAT(names_of(queue), ElementsAre("b", "c", "a"));
  EXPECT_EQ(queue.order()[0].since, now);
  queue.remove(std::vector<std::string>{"c", "b"});
  queue.append(std::vector<std::string>{"c", "b", "a"}, now + seconds(2));
  EXPECT_THAT(names_of(queue), ElementsAre("a", "c", "b")) << "a was ready before";
  queue.update(std::vector<std::string>{"b", "c"}, now + seconds(3));
  EXPECT_THAT(names_of(queue), ElementsAre("c", "b")) << "a is not ready any more";
}

TEST(ReadyQueue, FastClientsFormAGroupUntilTheFirstOneHasWaitedAsLongAsItsOwnTaskTakes) {
  const std::map<std::string, double> takes{{"s", 100}, {"t", 90}, {"a", 10}, {"b", 9}, {"c", 11}, {"n", 0}};
  const auto group = [&](int waited_s) {
    const Instant now = Instant{} + seconds(1'000);
    const std::vector<ReadyQueue::Entry> ready{
        {"s", now - seconds(waited_s)}, {"t", now}, {"a", now}, {"b", now}, {"c", now}, {"n", now}};
    return choose_group(ready, 3, now, [&](const std::string& client) { return takes.at(client); });
  };
  EXPECT_THAT(group(20), ElementsAre("a", "b", "n"));
  EXPECT_THAT(group(100), ElementsAre("c", "s", "t")) << "with the clients that are next to it in speed";
}

TEST(GroupedRounds, ReadyClientsFormGroupsThatWorkAtTheSameTimeWithSumsOfTheirOwn) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  EXPECT_THAT(t.group_of("a"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(t.group_of("d"), ElementsAre("d", "e", "f"));
  EXPECT_EQ(t.of("a").task.round, t.of("d").task.round);
  EXPECT_NE(t.of("a").task.secure->seed, t.of("d").task.secure->seed);
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U) << "it does not wait for the other group";
  const CommitRound& commit = t.commits[0];
  EXPECT_EQ(commit.record.round, RoundId(1));
  EXPECT_THAT(commit.record.arrivals,
              ElementsAre(Arrival{"d", RoundId(0), 1, 0, 65'536}, Arrival{"e", RoundId(0), 1, 0, 65'536},
                          Arrival{"f", RoundId(0), 1, 0, 65'536}));
  EXPECT_EQ(commit.opening->weight, 1);
  EXPECT_EQ(t.h.coordinator.phase(), Phase::committing);
}

TEST(GroupedRounds, ASumWaitsForItsTurnAndCountsWhatItsStalenessSays) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  t.train({"d", "e", "f"});
  for (const char* name : {"c", "a", "b"}) {
    t.h.advance(seconds(1));
    t.train(name);
  }
  ASSERT_EQ(t.commits.size(), 1U) << "one model at a time";
  ASSERT_EQ(t.commit(), Verdict::accepted);
  ASSERT_EQ(t.commits.size(), 2U);
  const CommitRound& second = t.commits[1];
  EXPECT_EQ(second.record.round, RoundId(2));
  EXPECT_EQ(second.record.base, sha256("model 1"));
  EXPECT_EQ(second.opening->staleness, 1U);
  EXPECT_NEAR(second.opening->weight, 1 / std::sqrt(2.0), 1e-5);
  EXPECT_THAT(second.record.arrivals,
              ElementsAre(Arrival{"c", RoundId(0), 0, 1, 46'341}, Arrival{"a", RoundId(0), 0, 1, 46'341},
                          Arrival{"b", RoundId(0), 0, 1, 46'341}))
      << "in the order in which they were complete";
  EXPECT_EQ(t.of("d").task.round, RoundId(1)) << "no group is formed while a sum waits";
  ASSERT_EQ(t.commit(), Verdict::accepted);
  EXPECT_EQ(t.of("d").task.round, RoundId(3)) << "on the newest model";
  EXPECT_EQ(t.of("a").task.round, RoundId(3));
}

TEST(GroupedRounds, ClientsAreCountedOnlyWhenTheirSumIsInAModel) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  std::map<std::string, std::vector<messages::Verdict>> receipts;
  t.watch = [&](const Effect& effect) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) return;
    for (const auto& [name, device] : t.all())
      if (const auto* receipt = std::get_if<messages::Receipt>(&send->message);
          receipt != nullptr && device.peer.peer == send->peer)
        receipts[name].push_back(receipt->verdict);
  };
  t.train({"d", "e", "f", "a", "b", "c"});
  EXPECT_THAT(receipts["d"], ElementsAre(messages::Verdict::summed));
  t.commit();
  EXPECT_THAT(receipts["d"], ElementsAre(messages::Verdict::summed, messages::Verdict::counted));
  EXPECT_THAT(receipts["a"], ElementsAre(messages::Verdict::summed)) << "its model is being made";
  t.commit();
  EXPECT_THAT(receipts["a"], ElementsAre(messages::Verdict::summed, messages::Verdict::counted));
}

TEST(GroupedRounds, OfThoseThatDoNotFillAGroupTheSlowestWait) {
  const std::vector<std::string> five{"a", "b", "c", "d", "e"};
  GroupedDevices t(grouped_config(five), five);
  t.connect_all();
  EXPECT_THAT(t.group_of("a"), ElementsAre("a", "b", "c"));
  t.h.advance(seconds(1));
  t.train("b");
  t.h.advance(seconds(1));
  t.train("c");
  t.h.advance(seconds(1));
  t.train("a");
  t.commit();
  EXPECT_THAT(t.group_of("d"), ElementsAre("b", "d", "e")) << "d and e were ready before, then b";
}

// The keys and shares of another group's sum are not those of this one.
TEST(AdversaryGroupedRounds, AMessageOfAnotherGroupIsDiscarded) {
  GroupedDevices t(grouped_config(six), six);
  for (const std::string& name : six) t.connect(name);
  std::map<std::string, messages::TrainTask> tasks;
  for (const std::string& name : six) {
    const auto sent = t.h.sent<messages::TrainTask>(t.of(name).peer);
    ASSERT_EQ(sent.size(), 1U);
    tasks[name] = sent[0];
  }
  const auto setup_of = [&](const std::string& name) {
    return messages::sum_setup("harbour", tasks[name]).digest();
  };
  EXPECT_EQ(t.h.say(t.of("a").peer, messages::KeyAdvert{tasks["a"].task, setup_of("d"), {}}),
            Verdict::discarded);
  EXPECT_EQ(t.h.say(t.of("a").peer, messages::KeyAdvert{tasks["d"].task, setup_of("d"), {}}),
            Verdict::discarded);
  messages::Offer offer;
  offer.task = tasks["d"].task;
  offer.setup = setup_of("d");
  EXPECT_EQ(t.h.say(t.of("a").peer, offer), Verdict::discarded);
  EXPECT_EQ(t.h.say(t.of("a").peer, messages::UpdateChunk{tasks["d"].task, 0}, 100), Verdict::discarded);
}

TEST(AdversaryGroupedRounds, AClientHasOneTaskUntilItsGroupHasEnded) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U);
  EXPECT_EQ(t.of("d").tasks, 1);
  t.h.advance(seconds(2));
  t.drain();
  EXPECT_EQ(t.of("d").tasks, 1) << "its sum is opened and not in a model yet";
  t.commit();
  EXPECT_EQ(t.of("d").tasks, 2);
  EXPECT_EQ(t.of("d").task.round, RoundId(2));
  EXPECT_EQ(t.of("a").tasks, 1) << "the other group works on";
}

TEST(AdversaryGroupedRounds, ARemovedClientLeavesItsGroupAndIsInNoOther) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  ASSERT_EQ(t.h.apply(AdmissionChanged{{"b", "c", "d", "e", "f"}, {"a"}}), Verdict::accepted);
  t.drain();
  t.h.advance(seconds(3));
  t.train({"d", "e", "f"});
  t.commit();
  EXPECT_EQ(t.of("a").tasks, 1);
  EXPECT_EQ(t.of("b").tasks, 2) << "its group could not go on";
  EXPECT_EQ(t.group_of("b").size(), 3U);
  t.train(t.group_of("b"));
  EXPECT_EQ(t.commits.size(), 2U);
}

TEST(GroupedRounds, ARefusedSumMakesItsClientsTrainAgainAndConcernsNoOtherGroup) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  const auto first = t.of("d").task;
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U);
  EXPECT_EQ(t.h.apply(SumRefused{RoundId(1), "it is no sum of updates"}), Verdict::accepted);
  t.drain();
  EXPECT_EQ(t.of("a").tasks, 1);
  EXPECT_EQ(t.of("d").tasks, 1) << "one group at a time while somebody is searched for";
  t.train({"a", "b", "c"});
  ASSERT_EQ(t.commits.size(), 2U);
  EXPECT_EQ(t.commits[1].record.round, RoundId(1)) << "no model was made of the refused sum";
  t.commit();
  t.h.advance(seconds(3));
  t.drain();
  // A part of the suspects is tested together with clients of a sum that was committed.
  std::vector<std::string> suspects;
  for (const char* name : {"d", "e", "f"})
    if (t.of(name).tasks == 2) suspects.emplace_back(name);
  EXPECT_TRUE(suspects.size() == 1 || suspects.size() == 2) << suspects.size();
  for (const std::string& name : suspects) EXPECT_NE(t.of(name).task.seed, first.seed);
}

TEST(GroupedRounds, ThoseOfAGroupThatFailedFormAnotherOneWithAnotherSeed) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  const auto first = t.of("e").task;
  ASSERT_EQ(t.h.say(t.of("d").peer, messages::Decline{t.of("d").task.task, {{ReasonCode::internal, {}}, ""}}),
            Verdict::accepted);
  t.drain();
  t.h.advance(seconds(10));
  t.drain();
  EXPECT_EQ(t.of("a").tasks, 1);
  EXPECT_GE(t.of("e").tasks, 2);
  EXPECT_NE(t.of("e").task.seed, first.seed) << "so that its update is another one";
  t.train({"d", "e", "f"});
  EXPECT_EQ(t.commits.size(), 1U);
}

TEST(GroupedRounds, AStaleGroupIsDroppedAlsoIfItsSumWaits) {
  auto config = grouped_config(six);
  config.settings.cohort.buffered.staleness_max = 0;
  GroupedDevices t(config, six);
  t.connect_all();
  t.train({"d", "e", "f", "a", "b", "c"});
  ASSERT_EQ(t.commits.size(), 1U);
  t.commit();
  EXPECT_EQ(t.commits.size(), 1U) << "the opened sum of the other group is not used";
  EXPECT_EQ(t.of("a").task.round, RoundId(2));
  EXPECT_EQ(t.of("a").tasks, 2);
}

// The clients of the other group still fetch the first model, which is served during commits until it is too old.
TEST(GroupedRounds, AModelIsServedAsLongAsAGroupFetchesIt) {
  auto config = grouped_config(six);
  config.settings.cohort.deadline = seconds(300);
  config.settings.cohort.buffered.staleness_max = 1;
  GroupedDevices t(config, six);
  t.of("a").pulls = false;
  t.connect_all();
  const auto pull = [&] { return t.h.say(t.of("a").peer, messages::Pull{sha256("model 0"), 0, 100}); };
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U);
  EXPECT_THAT(t.commits[0].fetched, ElementsAre(sha256("model 0")));
  EXPECT_EQ(pull(), Verdict::accepted) << "while a model is made";
  t.commit();
  EXPECT_EQ(pull(), Verdict::accepted);
  t.drain();
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 2U);
  EXPECT_TRUE(t.commits[1].fetched.empty()) << "the group would be too stale";
  EXPECT_EQ(pull(), Verdict::discarded) << "it has ended";
  t.commit();
  EXPECT_EQ(t.of("a").task.round, RoundId(3));
}

TEST(GroupedRounds, AStopWaitsForTheModelThatIsMade) {
  GroupedDevices t(grouped_config(six), six);
  t.connect_all();
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U);
  ASSERT_EQ(t.h.apply(StopAsked{}), Verdict::accepted);
  EXPECT_TRUE(t.h.finished.empty());
  t.commit();
  ASSERT_EQ(t.h.finished.size(), 1U);
  EXPECT_EQ(t.h.finished[0].why, Finish::Why::stopped);
}

// A group that fails while a model is made may be the last straw, but the federation must await the commit.
TEST(GroupedRounds, TooManyFailuresEndTheFederationAfterTheModelThatIsMade) {
  auto config = grouped_config(six);
  config.settings.cohort.attempts_max = 1;
  config.settings.cohort.clients_min = 6;  // nobody can be left out
  GroupedDevices t(config, six);
  t.connect_all();
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.commits.size(), 1U);
  for (const char* name : {"a", "b"}) t.h.apply(PeerGone{t.of(name).peer.peer});
  t.h.advance(seconds(25));
  t.drain();
  EXPECT_TRUE(t.h.finished.empty()) << "the commit is awaited";
  ASSERT_EQ(t.h.commit(), Verdict::accepted);
  t.drain();
  EXPECT_EQ(t.h.coordinator.last_committed(), RoundId(1));
}

TEST(GroupedRounds, AfterTheLastModelTheOtherGroupsEnd) {
  auto config = grouped_config(six);
  config.settings.rounds = 1;
  GroupedDevices t(config, six);
  t.connect_all();
  t.train({"d", "e", "f"});
  ASSERT_EQ(t.h.commit(), Verdict::accepted);
  EXPECT_EQ(t.h.sent<messages::Cancel>(t.of("a").peer).size(), 1U);
  ASSERT_EQ(t.h.finished.size(), 1U);
  EXPECT_EQ(t.h.finished[0].why, Finish::Why::all_rounds);
}

}  // namespace
}  // namespace hansa::server::testing
