// Attacks by the aggregator on a client in a secure sum.
#include <set>

#include "common/column_statistics.h"
#include "tests/agent/secure_sum.h"

namespace hansa::client::testing {
namespace {

using AdversarySecureSum = SecureSum;

TEST_F(AdversarySecureSum, ATaskThatTheSetupDoesNotBindIsDeclined) {
  const auto expect_declined = [&](void (*change)(messages::TrainTask&), const char* reason) {
    AgentConfig c = config();
    c.reports.details = ReportDetails::sent;
    Harness h(c);
    h.go_online();
    messages::TrainTask task = secure_task(h);
    change(task);
    h.receive(task);
    ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
    const std::string& details = h.sent<messages::Decline>()[0].report.details;
    EXPECT_NE(details.find(reason), std::string::npos) << details;
    EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty());
  };
  expect_declined([](auto& task) { task.seed += 1; }, "seed of its own choice");
  expect_declined([](auto& task) { task.secure->seed += 1; }, "seed of its own choice");
  expect_declined([](auto& task) { task.inputs[0].values.reset(); }, "does not name the values");
}

// Each change of what determines an update is a change of what the clients sign.
TEST_F(AdversarySecureSum, EveryPartOfTheWorkIsInTheSetup) {
  const messages::TrainTask task = secure_task(Harness());
  using Change = void (*)(messages::TrainTask&);
  const Change changes[] = {
      [](auto& t) { t.archive.bytes[0] ^= 1; },
      [](auto& t) { t.layout.bytes[31] ^= 1; },
      [](auto& t) { t.inputs[0].values->bytes[5] ^= 1; },
      [](auto& t) { t.inputs[0].name += "x"; },
      [](auto& t) { t.inputs.push_back(t.inputs[0]); },
      [](auto& t) { t.method.name += "x"; },
      [](auto& t) {
        t.method.options.push_back({"learning_rate", 1e-9});
      },
      [](auto& t) {
        t.method.options.push_back({"epochs", std::int64_t{2}});
      },
      [](auto& t) {
        t.method.options.push_back({"note", std::string("1")});
      },
      [](auto& t) {
        t.method.options.push_back({"personal", std::vector<std::string>{"head.*"}});
      },
      [](auto& t) { t.outputs[0].values += 1; },
      [](auto& t) { t.outputs[0].name += "x"; },
      [](auto& t) { t.magnitude_max /= 2; },
      [](auto& t) {
        t.hold_out = HoldOut{0.2, Measure::no};
      },
      [](auto& t) {
        t.hold_out = HoldOut{0.2, Measure::yes};
      },
      [](auto& t) {
        t.hold_out = HoldOut{0.3, Measure::no};
      },
      [](auto& t) { t.secure->seed += 1; },
      [](auto& t) { t.secure->attempt += 1; },
      [](auto& t) { t.secure->nonce.bytes[9] ^= 1; },
      [](auto& t) { t.round.value += 1; },
      [](auto& t) { t.secure->quantisation.clip *= 2; },
      [](auto& t) { t.secure->segments[0].scale *= 2; },
      [](auto& t) { t.secure->metrics.push_back("loss"); },
  };
  std::set<Digest> seen{setup_of(task)};
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    messages::TrainTask changed = task;
    changes[i](changed);
    EXPECT_TRUE(seen.insert(setup_of(changed)).second) << "change " << i;
  }
}

// The aggregator opens a sum of three clients, and then asks for one of the same updates with a fourth client.
TEST_F(AdversarySecureSum, ASecondSumOfTheUpdateIsNotOpenedAlsoAfterARestart) {
  AgentConfig c = config();
  Harness first(c);
  const auto task = secure_task(first);
  mask(first, task);
  first.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
  const auto remembering = first.all<RememberOpening>();
  ASSERT_EQ(remembering.size(), 1U);
  EXPECT_TRUE(first.sent<messages::UnmaskShares>().empty()) << "nothing leaves before it is remembered";
  first.apply(OpeningRemembered{task.task, setup_of(task), {}});
  EXPECT_EQ(first.sent<messages::UnmaskShares>().size(), 1U);

  // The sum of the same survivors may be opened again, after a restart too.
  c.secure_sums->opened.add(remembering[0].sum);
  Harness same(c);
  const auto again = secure_task(same, 2);
  mask(same, again);
  same.receive(messages::UnmaskRequest{again.task, setup_of(again), {0x07}, {}});
  EXPECT_EQ(same.sent<messages::UnmaskShares>().size(), 1U);

  // With one client exchanged it may not.
  c.secure_sums->opened = {};
  auto other = remembering[0].sum;
  other.survivors[2] = sa::tag_of("d");
  std::ranges::sort(other.survivors);
  c.secure_sums->opened.add(other);
  Harness changed(c);
  const auto third = secure_task(changed, 3);
  mask(changed, third);
  changed.receive(messages::UnmaskRequest{third.task, setup_of(third), {0x07}, {}});
  EXPECT_TRUE(changed.sent<messages::UnmaskShares>().empty());
  ASSERT_EQ(changed.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(changed.sent<messages::Decline>()[0].report.reason.code, ReasonCode::sum_repeated);
}

// Statistics of the data of a, b, d were opened; now those of a, b, c, for which all hold out other examples.
TEST_F(AdversarySecureSum, ASecondSumOfStatisticsIsNotOpenedWhateverIsHeldOut) {
  for (const bool of_statistics : {false, true}) {
    AgentConfig c = config();
    c.methods = methods_with_statistics();
    Harness probe(c);
    auto task = secure_task(probe);
    if (of_statistics) task.method = {std::string(statistics_method), {}};
    bind_work(task);
    sa::OpenedSum earlier{messages::sum_setup("harbour", task).model,
                          checksum("without hold-out"),
                          {sa::tag_of("a"), sa::tag_of("b"), sa::tag_of("d")}};
    std::ranges::sort(earlier.survivors);
    c.secure_sums->opened.add(earlier);
    Harness h(c);
    mask(h, task);
    h.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
    EXPECT_EQ(h.all<RememberOpening>().size(), of_statistics ? 0U : 1U);
    EXPECT_EQ(h.sent<messages::Decline>().size(), of_statistics ? 1U : 0U);
  }
}

// The operator has ended the certificates of epoch 1. The aggregator returns to it, with the certificate of a device
// that was stolen.
TEST_F(AdversarySecureSum, AnEpochThatHasEndedIsDeclinedAlsoAfterARestart) {
  AgentConfig c = config();
  sa::OpenedSum earlier{sha256(std::string_view("earlier")), checksum("update"), {}, {}, 2};
  c.secure_sums->opened.add(earlier);
  Harness h(c);
  h.go_online();
  h.receive(secure_task(h));
  ASSERT_EQ(h.sent<messages::Decline>().size(), 1U);
  EXPECT_EQ(h.sent<messages::Decline>()[0].report.reason.code, ReasonCode::certificate_outdated);
  EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty());
  auto task = secure_task(h, 2);
  task.secure->certificate_epoch = 2;
  h.receive(task);
  EXPECT_EQ(h.sent<messages::KeyAdvert>().size() + h.all<FindArchive>().size(), 1U) << "the present epoch";
}

// The aggregator has the client train on one model, and then names another one, which the others have: in their sum the
// update could be told apart.
TEST_F(AdversarySecureSum, AnUpdateIsNotMaskedForAnotherModelThanItWasTrainedOn) {
  using Change = void (*)(messages::TrainTask&);
  const Change changes[] = {[](auto& t) { t.inputs[0].values->bytes[5] ^= 1; },
                            [](auto& t) { t.magnitude_max /= 2; }, [](auto& t) { t.round.value += 1; }};
  for (const Change change : changes) {
    Harness h(config());
    const auto task = secure_task(h);
    mask(h, task);
    h.forget();
    auto other = secure_task(h, 2);
    change(other);
    h.receive(other);
    EXPECT_TRUE(h.sent<messages::KeyAdvert>().empty()) << "it takes part with the update of the first task";
    EXPECT_EQ(h.all<FindArchive>().size(), 1U) << "it begins again";
  }
}

// How a training ends is visible. A chosen model and learning rate would make it the answer to a question about the
// device's data, so that a training needs a cohort that the client has verified.
TEST_F(AdversarySecureSum, InTheActiveModelADeviceDoesNotTrainForTheAggregatorAlone) {
  const auto active_task = [](const Harness& h) {
    messages::TrainTask task = secure_task(h);
    task.secure->assumptions.threat_model = sa::ThreatModel::active;
    return task;
  };
  Harness h(config());
  const auto task = active_task(h);
  h.train(task);
  EXPECT_TRUE(h.all<StartTraining>().empty());
  exchange(h, task);
  EXPECT_TRUE(h.all<StartTraining>().empty());
  deliver(h, task);
  ASSERT_EQ(h.all<StartTraining>().size(), 1U);
  h.end_training(task);
  EXPECT_NE(asked_to_mask(h), nullptr);

  Harness cancelled(config());
  const auto dropped = active_task(cancelled);
  cancelled.train(dropped);
  exchange(cancelled, dropped);
  cancelled.receive(messages::Cancel{dropped.task, "the round is over"});
  deliver(cancelled, dropped);
  EXPECT_TRUE(cancelled.all<StartTraining>().empty());
  EXPECT_TRUE(cancelled.all<StopTraining>().empty()) << "nothing was started";
}

// What is remembered limits later sums, so that requests of the aggregator alone must leave no trace.
TEST_F(AdversarySecureSum, ARequestThatIsNotAnsweredIsNotRemembered) {
  const auto ask = [&](Harness& h, const messages::TrainTask& task, std::uint8_t survivors) {
    h.receive(messages::SurvivorSet{task.task, setup_of(task), {survivors}});
    h.receive(messages::UnmaskRequest{task.task, setup_of(task), {survivors}, {}});
    EXPECT_TRUE(h.all<RememberOpening>().empty());
  };
  Harness before_roster(config());
  auto task = secure_task(before_roster);
  task.secure->certificate_epoch = 4'000'000'000;
  before_roster.train(task);
  ask(before_roster, task, 0);
  Harness before_training(config());
  task = secure_task(before_training);
  before_training.train(task);
  exchange(before_training, task);
  deliver(before_training, task);
  ask(before_training, task, 0x07);
  Harness without_itself(config());
  task = secure_task(without_itself);
  mask(without_itself, task);
  ask(without_itself, task, 0x06);
  Harness too_few(config());
  task = secure_task(too_few);
  mask(too_few, task);
  ask(too_few, task, 0x03);
}

TEST_F(AdversarySecureSum, ASumThatCannotBeRememberedIsNotOpened) {
  Harness h(config());
  const auto task = secure_task(h);
  mask(h, task);
  h.receive(messages::UnmaskRequest{task.task, setup_of(task), {0x07}, {}});
  h.apply(OpeningRemembered{task.task, setup_of(task), fail(ErrorCode::storage, "disk", "is full")});
  EXPECT_TRUE(h.sent<messages::UnmaskShares>().empty());
  EXPECT_EQ(h.sent<messages::Decline>().size(), 1U);
}

}  // namespace
}  // namespace hansa::client::testing
