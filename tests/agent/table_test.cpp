// Every state x event pair of the agent (docs/round.md), and random sequences of them.
#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/agent/harness.h"
#include "tests/protocols/samples.h"

namespace hansa::client::testing {
namespace {

using L = LinkState;

const Error cut{ErrorCode::network, "tcp://here:1", "the connection was cut", ""};

Harness in_state(L state) {
  Harness h;
  switch (state) {
    case L::offline: break;
    case L::linking: h.reach_linking(); break;
    case L::greeting: h.reach_greeting(); break;
    case L::online: h.go_online(); break;
    case L::finished: h.apply(StopAsked{}); break;
  }
  EXPECT_EQ(h.agent.state(), state);
  h.forget();
  return h;
}

// The state after LinkUp, LinkDown, malformed, archive found, blob checked, training ended, data known, a tick
// that is due, stop:
// 'o': offline, 'l': linking, 'g': greeting, 'n': online, 'f': finished.
struct Row {
  L from;
  const char* next;
};
const Row event_table[] = {
    {L::offline, "ooooooolfo"}, {L::linking, "gollllllfl"},  {L::greeting, "googgggofg"},
    {L::online, "noonnnnnfn"},  {L::finished, "ffffffffff"},
};

L state_of(char letter, L from) {
  switch (letter) {
    case 'o': return L::offline;
    case 'l': return L::linking;
    case 'g': return L::greeting;
    case 'n': return L::online;
    case 'f': return L::finished;
    default: return from;
  }
}

TEST(AgentTable, EveryStateAndEventDoAsTheTableSays) {
  for (const auto& row : event_table) {
    for (std::size_t i = 0; i < 10; ++i) {
      SCOPED_TRACE(std::string(name(row.from)) + " x event " + std::to_string(i));
      Harness h = in_state(row.from);
      const std::vector<Event> events = {LinkUp{},
                                         LinkDown{cut},
                                         ReceivedMalformed{cut},
                                         ArchiveLookedUp{round::ArchiveCache::present},
                                         BlobChecked{Digest{}, true},
                                         TrainingEnded{TaskId(1), messages::Offer{}},
                                         DataKnown{{1, 0, {}, {}}},
                                         TickEvent{},
                                         StopAsked{},
                                         UpdateMasked{TaskId(1), Digest{}, Checksum{}, 4}};
      if (i == 7) h.now = std::max(h.now, h.agent.next_tick());
      h.apply(events[i]);
      EXPECT_STREQ(name(h.agent.state()), name(state_of(row.next[i], row.from)));
      EXPECT_TRUE(row.from != L::finished || h.effects.empty()) << "a finished agent does nothing";
    }
  }
}

// The state after each message, in the order of messages::ToClient; '.': as before. Nothing arrives while the agent is
// offline, linking or finished.
struct MessageRow {
  L from;
  const char* next;
};
const MessageRow message_table[] = {
    {L::offline, "................"}, {L::linking, "................"},  {L::greeting, "no.............."},
    {L::online, ".o........fo...."},  {L::finished, "................"},
};

TEST(AgentTable, EveryStateAndMessageDoAsTheTableSays) {
  const auto samples = messages::testing::samples_to_client();
  for (const auto& row : message_table) {
    ASSERT_EQ(std::string_view(row.next).size(), samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      SCOPED_TRACE(std::string(name(row.from)) + " x " + std::string(type_of(samples[i].message).name));
      Harness h = in_state(row.from);
      h.receive(samples[i].message);
      const L expected = state_of(row.next[i], row.from);
      EXPECT_STREQ(name(h.agent.state()), name(expected));
      const bool silent = row.from == L::offline || row.from == L::linking || row.from == L::finished;
      EXPECT_TRUE(!silent || h.effects.empty());
    }
  }
}

// What a shell relies on, in any order of events.
TEST(AgentStorm, KeepsItsPromisesForRandomEvents) {
  int trainings = 0;
  for (std::uint64_t seed = 0; seed < 1'000 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Harness h;
    bool link_open = false;
    bool training = false;
    std::uint64_t next_chunk = 0;  // of the model that is fetched
    Digest to_check;  // the last blob that was complete
    for (int step = 0; step < 300; ++step) {
      h.forget();
      h.now += std::chrono::milliseconds(random.below(random.chance(0.05) ? 40'000 : 200));
      const auto task = h.make_task(1 + random.below(2));
      const SessionId session = random.chance(0.9) ? h.session : SessionId(random.next());
      const std::uint64_t offset = 100 * random.below(5);
      switch (random.below(17)) {
        case 0: h.apply(LinkUp{}); break;
        case 1:
          if (random.chance(0.1)) h.apply(LinkDown{cut});
          break;
        case 2:
          if (h.agent.state() == L::greeting) h.session = SessionId(++h.sessions);
          h.receive(messages::Welcome{"a", "run", lease_ms, chunk_bytes});
          break;
        case 3:
          if (random.chance(0.3)) h.receive(session, task);
          break;
        case 4:
          h.apply(ArchiveLookedUp{random.chance(0.8) ? round::ArchiveCache::present
                                                     : round::ArchiveCache::absent});
          break;
        case 5: h.apply(BlobChecked{random.chance(0.9) ? to_check : task.archive, random.chance(0.9)}); break;
        case 6: h.end_training(task); break;
        case 7: h.receive(session, messages::Grant{task.task, offset, 100 * random.below(6)}); break;
        case 8:
          h.receive(session,
                    messages::Receipt{task.task, static_cast<messages::Verdict>(random.below(3)), ""});
          break;
        case 9:
          if (random.chance(0.2)) h.receive(session, messages::Cancel{task.task, ""});
          break;
        case 10:
          if (random.chance(0.1)) h.receive(session, messages::Missing{model_of(task).vector});
          break;
        case 11:
          if (random.chance(0.1))
            h.receive(SessionId(), messages::Refuse{messages::RefuseReason::unknown_session, "", "", 0});
          break;
        case 12: h.receive(session, messages::BlobChunk{task.archive, offset}, 1 + random.below(100)); break;
        case 13: h.receive(session, messages::Ping{}); break;
        case 14: h.apply(TickEvent{}); break;
        default:
          if (h.agent.task())
            h.receive(session,
                      messages::BlobChunk{model_of(h.agent.task()->task()).vector,
                                          random.chance(0.9) ? next_chunk : offset},
                      100);
      }
      for (const auto& effect : h.effects) {
        if (std::holds_alternative<OpenLink>(effect)) {
          EXPECT_FALSE(link_open);
          link_open = true;
        } else if (std::holds_alternative<CloseLink>(effect)) {
          EXPECT_TRUE(link_open);
          link_open = false;
          EXPECT_FALSE(h.agent.state() == L::online);
        } else if (std::holds_alternative<StartTraining>(effect)) {
          training = true;
          ++trainings;
        } else if (std::holds_alternative<StopTraining>(effect)) {
          EXPECT_TRUE(training) << "stops a training that does not run";
          training = false;
        } else if (const auto* send = std::get_if<Send>(&effect)) {
          EXPECT_TRUE(link_open) << type_of(send->message).name;
          EXPECT_EQ(send->session,
                    std::holds_alternative<messages::Hello>(send->message) ? SessionId() : h.session);
        } else if (const auto* keep = std::get_if<KeepChunk>(&effect)) {
          const bool is_model = keep->blob == model_of(*keep->task).vector;
          EXPECT_LT(keep->offset, is_model ? model_of(*keep->task).bytes : keep->task->archive_bytes);
          if (is_model) next_chunk = keep->offset + 100;
        } else if (const auto* verify = std::get_if<VerifyBlob>(&effect)) {
          to_check = verify->blob;
          next_chunk = 0;
        } else if (const auto* range = std::get_if<SendUpdateRange>(&effect)) {
          EXPECT_TRUE(link_open);
          EXPECT_LE(range->offset + range->bytes, 400U);
          EXPECT_LE(range->bytes, chunk_bytes);
        }
      }
      EXPECT_GE(h.agent.next_tick(), h.now - std::chrono::hours(1));
    }
  }
  EXPECT_GT(trainings, 200) << "the storms reach the training";
}

}  // namespace
}  // namespace hansa::client::testing
