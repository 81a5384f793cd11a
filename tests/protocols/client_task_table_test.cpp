// Every pair of state and event of a client's task: the table of docs/round.md.
#include <gtest/gtest.h>

#include "protocols/round/client_task.h"
#include "tests/protocols/samples.h"

namespace hansa::round {
namespace {

using messages::testing::counting_digest;
using S = TaskState;

constexpr std::uint32_t chunk_bytes = 100;

messages::TrainTask make_task() {
  messages::TrainTask task;
  task.task = TaskId(5);
  task.archive = counting_digest(1);
  task.archive_bytes = 250;
  task.inputs = {{"model", counting_digest(2), 1'000, {}, {}}};
  task.outputs = {{"delta", 250, {}}};
  return task;
}

messages::Offer make_offer() {
  messages::Offer offer;
  offer.task = TaskId(5);
  offer.bytes = 1'000;
  return offer;
}

void feed(ClientTask& task, const TaskEvent& event) {
  std::vector<TaskEffect> effects;
  ASSERT_EQ(task.apply(event, Instant{}, effects), Verdict::accepted);
}

ClientTask task_in(S state) {
  ClientTask task(make_task(), state == S::fetching_archive ? ArchiveCache::absent : ArchiveCache::present,
                  chunk_bytes);
  feed(task, SessionOpened{});
  if (state == S::fetching_archive || state == S::fetching_inputs) return task;
  if (state == S::declined) {
    feed(task, TrainingFailed{});
    return task;
  }
  if (state == S::dropped) {
    feed(task, CancelArrived{});
    return task;
  }
  for (std::uint64_t offset = 0; offset < 1'000; offset += chunk_bytes)
    feed(task, ChunkArrived{counting_digest(2), offset, chunk_bytes});
  feed(task, BlobVerified{counting_digest(2)});
  if (state == S::training) return task;
  feed(task, TrainingDone{make_offer()});
  if (state == S::uploading) feed(task, GrantArrived{0, 400});
  if (state == S::counted) feed(task, ReceiptArrived{messages::Verdict::counted});
  return task;
}

// '-': discarded. '.': accepted, the state does not change. A letter: the next state.
// T: training; O: offering; U: uploading; C: counted; X: declined; D: dropped. Spaces are ignored.
struct Row {
  S from;
  const char* next;
};
// Opened, Chunk (the next of the archive), Chunk (of the model), Verified (archive), Damaged (archive);
// TrainingDone, TrainingFailed; Withdrawn; Grant; Receipt counted, rejected, late; Cancel.
const Row table[] = {
    {S::fetching_archive, "..--- -X - - --- D"}, {S::fetching_inputs, ".-.-- -X - - --- D"},
    {S::training, ".---- OX - - --- D"},         {S::offering, ".---- -- T U CDD D"},
    {S::uploading, "O---- -- T . CDD D"},        {S::counted, "O---- -- T - .DD -"},
    {S::declined, "----- -- - - --- D"},         {S::dropped, "----- -- - - --- -"},
};

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::vector<TaskEvent> all_events() {
  return {SessionOpened{},
          ChunkArrived{counting_digest(1), 0, chunk_bytes},
          ChunkArrived{counting_digest(2), 0, chunk_bytes},
          BlobVerified{counting_digest(1)},
          BlobDamaged{counting_digest(1)},
          TrainingDone{make_offer()},
          TrainingFailed{},
          UpdateWithdrawn{},
          GrantArrived{0, 300},
          ReceiptArrived{messages::Verdict::counted},
          ReceiptArrived{messages::Verdict::rejected},
          ReceiptArrived{messages::Verdict::late},
          CancelArrived{}};
}

S state_of(char letter, S from) {
  switch (letter) {
    case 'T': return S::training;
    case 'O': return S::offering;
    case 'U': return S::uploading;
    case 'C': return S::counted;
    case 'X': return S::declined;
    case 'D': return S::dropped;
    default: return from;
  }
}

TEST(ClientTaskTable, EveryStateAndEventMatchesTheTable) {
  const auto events = all_events();
  for (const auto& row : table) {
    const std::string next = without_spaces(row.next);
    ASSERT_EQ(next.size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      SCOPED_TRACE(std::string(name(row.from)) + " x event " + std::to_string(i));
      ClientTask task = task_in(row.from);
      ASSERT_EQ(task.state(), row.from);
      std::vector<TaskEffect> effects;
      const Verdict verdict = task.apply(events[i], Instant{}, effects);
      EXPECT_EQ(verdict, next[i] == '-' ? Verdict::discarded : Verdict::accepted);
      EXPECT_EQ(task.state(), state_of(next[i], row.from)) << name(task.state());
      EXPECT_TRUE(verdict == Verdict::accepted || effects.empty());
    }
  }
}

// A blob that is complete but not yet verified accepts only its verdict and a Cancel.
TEST(ClientTaskTable, ABlobBeingVerifiedAcceptsOnlyItsVerdictFailureAndCancel) {
  const auto verifying = [] {
    ClientTask task(make_task(), ArchiveCache::absent, 250);
    feed(task, SessionOpened{});
    feed(task, ChunkArrived{counting_digest(1), 0, 250});
    return task;
  };
  const std::string expected = without_spaces(".--M. -X - - --- D");
  const auto events = all_events();
  for (std::size_t i = 0; i < events.size(); ++i) {
    SCOPED_TRACE(i);
    ClientTask task = verifying();
    std::vector<TaskEffect> effects;
    EXPECT_EQ(task.apply(events[i], Instant{}, effects),
              expected[i] == '-' ? Verdict::discarded : Verdict::accepted);
    EXPECT_EQ(task.state(),
              expected[i] == 'M' ? S::fetching_inputs : state_of(expected[i], S::fetching_archive));
  }
}

}  // namespace
}  // namespace hansa::round
