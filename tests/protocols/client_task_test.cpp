// A client's task: credit, resuming, damage.
#include "protocols/round/client_task.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/random.h"
#include "tests/protocols/samples.h"

namespace hansa::round {
namespace {

using messages::testing::counting_digest;

const Digest archive = counting_digest(1);
const Digest model = counting_digest(2);
constexpr std::uint32_t chunk_bytes = 100;

messages::TrainTask make_task(std::uint64_t model_bytes = 2'000) {
  messages::TrainTask task;
  task.task = TaskId(5);
  task.archive = archive;
  task.archive_bytes = 250;
  task.inputs = {{"model", model, model_bytes, {}, {}}};
  task.outputs = {{"delta", model_bytes / 4, {}}};
  return task;
}

messages::Offer make_offer(std::uint64_t bytes) {
  messages::Offer offer;
  offer.task = TaskId(5);
  offer.bytes = bytes;
  return offer;
}

std::vector<TaskEffect> feed(ClientTask& task, const TaskEvent& event, Verdict expected = Verdict::accepted) {
  std::vector<TaskEffect> effects;
  EXPECT_EQ(task.apply(event, Instant{}, effects), expected);
  return effects;
}

template <class T>
std::vector<T> messages_of(const std::vector<TaskEffect>& effects) {
  std::vector<T> out;
  for (const auto& effect : effects)
    if (const auto* send = std::get_if<SendMessage>(&effect))
      if (const auto* message = std::get_if<T>(&send->message)) out.push_back(*message);
  return out;
}

template <class T>
std::size_t count_of(const std::vector<TaskEffect>& effects) {
  return static_cast<std::size_t>(std::count_if(effects.begin(), effects.end(),
                                                [](const auto& e) { return std::holds_alternative<T>(e); }));
}

// A task whose model has arrived and is valid.
ClientTask trained(std::uint64_t offer_bytes) {
  ClientTask task(make_task(chunk_bytes), ArchiveCache::present, chunk_bytes);
  (void)feed(task, SessionOpened{});
  (void)feed(task, ChunkArrived{model, 0, chunk_bytes});
  EXPECT_EQ(count_of<StartTraining>(feed(task, BlobVerified{model})), 1U);
  EXPECT_EQ(messages_of<messages::Offer>(feed(task, TrainingDone{make_offer(offer_bytes)})).size(), 1U);
  return task;
}

TEST(ClientTask, FetchesTheArchiveThenTheModel) {
  ClientTask task(make_task(), ArchiveCache::absent, chunk_bytes);
  const auto pulls = messages_of<messages::Pull>(feed(task, SessionOpened{}));
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].blob, archive);
  EXPECT_EQ(pulls[0].offset, 0U);
  EXPECT_EQ(pulls[0].bytes, 250U);
  (void)feed(task, ChunkArrived{archive, 0, 100});
  (void)feed(task, ChunkArrived{archive, 100, 100});
  EXPECT_EQ(count_of<VerifyBlob>(feed(task, ChunkArrived{archive, 200, 50})), 1U);
  const auto next = messages_of<messages::Pull>(feed(task, BlobVerified{archive}));
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].blob, model);
}

messages::ModelDeltas three_deltas(std::uint8_t base, std::uint8_t blob) {
  messages::ModelDeltas out;
  for (std::uint8_t i = 0; i < 3; ++i)
    out.deltas.push_back({counting_digest(static_cast<std::uint8_t>(base + i)),
                          counting_digest(static_cast<std::uint8_t>(blob + i)), 150});
  return out;
}

// Models 10, 11 and 12, and then the task's model, each with a delta from the one before.
messages::TrainTask task_with_deltas() {
  messages::TrainTask task = make_task();
  task.inputs[0].deltas = three_deltas(10, 20);
  return task;
}

std::vector<HeldVector> held_model(const Digest& vector) { return {{"model", vector, 2'000}}; }

TEST(ClientTask, AStoredVectorOfAnotherSizeIsNotUsedForTheTask) {
  for (const Digest& held : {model, counting_digest(11)}) {
    const std::vector<HeldVector> other = {{"model", held, 4}};
    ClientTask task(task_with_deltas(), ArchiveCache::present, chunk_bytes, other);
    const auto pulls = messages_of<messages::Pull>(feed(task, SessionOpened{}));
    ASSERT_EQ(pulls.size(), 1U);
    EXPECT_EQ(pulls[0].blob, model) << "in full";
  }
}

TEST(ClientTask, TheStoredModelDecidesWhatIsFetched) {
  const auto first_pull = [](const Digest& held) {
    ClientTask task(task_with_deltas(), ArchiveCache::present, chunk_bytes, held_model(held));
    const auto pulls = messages_of<messages::Pull>(feed(task, SessionOpened{}));
    EXPECT_EQ(pulls.size(), 1U);
    return pulls.at(0).blob;
  };
  EXPECT_EQ(first_pull(Digest{}), model);
  EXPECT_EQ(first_pull(counting_digest(99)), model);
  EXPECT_EQ(first_pull(counting_digest(10)), counting_digest(20));
  EXPECT_EQ(first_pull(counting_digest(12)), counting_digest(22));
  ClientTask task(task_with_deltas(), ArchiveCache::present, chunk_bytes, held_model(model));
  EXPECT_EQ(count_of<StartTraining>(feed(task, SessionOpened{})), 1U);
}

TEST(ClientTask, DeltasAreFetchedOneAfterTheOtherBeforeTraining) {
  ClientTask task(task_with_deltas(), ArchiveCache::absent, chunk_bytes, held_model(counting_digest(11)));
  (void)feed(task, SessionOpened{});
  for (const std::uint64_t offset : {0U, 100U, 200U})
    (void)feed(task, ChunkArrived{archive, offset, offset == 200 ? 50U : 100U});
  for (std::uint8_t i = 1; i < 3; ++i) {
    const Digest delta = counting_digest(static_cast<std::uint8_t>(20 + i));
    const auto before = i == 1 ? archive : counting_digest(21);
    const auto pulls = messages_of<messages::Pull>(feed(task, BlobVerified{before}));
    ASSERT_EQ(pulls.size(), 1U);
    EXPECT_EQ(pulls[0].blob, delta);
    EXPECT_EQ(pulls[0].bytes, 150U);
    (void)feed(task, ChunkArrived{model, 0, 100}, Verdict::discarded);
    (void)feed(task, ChunkArrived{delta, 0, 100});
    EXPECT_EQ(count_of<VerifyBlob>(feed(task, ChunkArrived{delta, 100, 50})), 1U);
  }
  EXPECT_EQ(count_of<StartTraining>(feed(task, BlobVerified{counting_digest(22)})), 1U);
}

TEST(ClientTask, ADeltaThatLeadsToAnotherModelIsFollowedByTheModelInFull) {
  ClientTask task(task_with_deltas(), ArchiveCache::present, chunk_bytes, held_model(counting_digest(12)));
  (void)feed(task, SessionOpened{});
  const Digest delta = counting_digest(22);
  (void)feed(task, ChunkArrived{delta, 0, 100});
  (void)feed(task, ChunkArrived{delta, 100, 50});
  const auto pulls = messages_of<messages::Pull>(feed(task, BlobDamaged{delta}));
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].blob, model);
  EXPECT_EQ(pulls[0].offset, 0U);
}

// A model with deltas from 10, 11 and 12, and a control variate with deltas from 40, 41 and 42.
const Digest control = counting_digest(3);
messages::TrainTask task_with_two_inputs() {
  messages::TrainTask task = task_with_deltas();
  task.inputs.push_back({"control", control, 2'000, {}, three_deltas(40, 50)});
  return task;
}

// Feeds the blob that the task asks for, and its verdict; returns the effects of the verdict.
std::vector<TaskEffect> fetch(ClientTask& task, const Digest& blob, std::uint64_t bytes,
                              const TaskEvent& verdict) {
  for (std::uint64_t offset = 0; offset < bytes; offset += 50)
    (void)feed(task, ChunkArrived{blob, offset, std::min<std::uint64_t>(50, bytes - offset)});
  return feed(task, verdict);
}

Digest asked_for(const std::vector<TaskEffect>& effects) {
  const auto pulls = messages_of<messages::Pull>(effects);
  return pulls.empty() ? Digest{} : pulls[0].blob;
}

TEST(ClientTask, InputsAreFetchedInOrderBeforeTrainingEachInFullOrByDeltas) {
  const std::vector<HeldVector> held = {{"control", counting_digest(42), 2'000}};
  ClientTask task(task_with_two_inputs(), ArchiveCache::present, chunk_bytes, held);
  EXPECT_EQ(asked_for(feed(task, SessionOpened{})), model) << "no model is held: in full";
  const auto after_model = fetch(task, model, 2'000, BlobVerified{model});
  EXPECT_EQ(asked_for(after_model), counting_digest(52));
  EXPECT_EQ(count_of<StartTraining>(after_model), 0U) << "an input is missing";
  EXPECT_EQ(count_of<StartTraining>(fetch(task, counting_digest(52), 150, BlobVerified{counting_digest(52)})),
            1U);
}

TEST(ClientTask, AStoredVectorIsUsedOnlyUnderItsOwnName) {
  const std::vector<HeldVector> held = {{"control", model, 2'000}, {"model", counting_digest(42), 2'000}};
  ClientTask task(task_with_two_inputs(), ArchiveCache::present, chunk_bytes, held);
  EXPECT_EQ(asked_for(feed(task, SessionOpened{})), model);
  EXPECT_EQ(asked_for(fetch(task, model, 2'000, BlobVerified{model})), control);
}

TEST(ClientTask, ADamagedDeltaOfOneInputDoesNotAffectTheOthers) {
  const std::vector<HeldVector> held = {{"model", counting_digest(11), 2'000},
                                        {"control", counting_digest(42), 2'000}};
  ClientTask task(task_with_two_inputs(), ArchiveCache::present, chunk_bytes, held);
  EXPECT_EQ(asked_for(feed(task, SessionOpened{})), counting_digest(21));
  EXPECT_EQ(asked_for(fetch(task, counting_digest(21), 150, BlobVerified{counting_digest(21)})),
            counting_digest(22));
  EXPECT_EQ(asked_for(fetch(task, counting_digest(22), 150, BlobDamaged{counting_digest(22)})), model);
  EXPECT_EQ(asked_for(fetch(task, model, 2'000, BlobVerified{model})), counting_digest(52));
  EXPECT_EQ(asked_for(fetch(task, counting_digest(52), 150, BlobDamaged{counting_digest(52)})), control);
  EXPECT_EQ(asked_for(fetch(task, control, 2'000, BlobDamaged{control})), control) << "again";
  EXPECT_EQ(count_of<StartTraining>(fetch(task, control, 2'000, BlobVerified{control})), 1U);
}

TEST(ClientTask, ACachedArchiveIsNotFetched) {
  ClientTask task(make_task(), ArchiveCache::present, chunk_bytes);
  const auto pulls = messages_of<messages::Pull>(feed(task, SessionOpened{}));
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].blob, model);
}

// Plays an aggregator that answers each Pull; sizes and lost sessions depend on the seed.
TEST(ClientTask, NeverRequestsMoreThanItsCreditAndAlwaysCompletes) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    auto chunk = static_cast<std::uint32_t>(4 * (1 + random.below(60)));
    const std::uint64_t bytes = 4 * (1 + random.below(2'000));
    ClientTask task(make_task(bytes), ArchiveCache::present, chunk);
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        in_flight;  // offsets and sizes that the aggregator will send
    std::uint64_t received = 0;
    const auto take_pulls = [&](const std::vector<TaskEffect>& effects) {
      for (const auto& pull : messages_of<messages::Pull>(effects)) {
        ASSERT_GE(pull.bytes, 1U);
        ASSERT_GE(pull.offset, received) << "data that has arrived is requested again";
        ASSERT_LE(pull.offset + pull.bytes,
                  std::min<std::uint64_t>(bytes, received + ClientTask::chunks_in_flight * chunk));
        for (std::uint64_t at = 0; at < pull.bytes; at += chunk)
          in_flight.emplace_back(pull.offset + at, std::min<std::uint64_t>(chunk, pull.bytes - at));
      }
    };
    take_pulls(feed(task, SessionOpened{chunk}));
    while (received < bytes) {
      ASSERT_FALSE(in_flight.empty()) << "the transfer does not progress at " << received << " of " << bytes;
      if (random.chance(0.05)) {
        in_flight
            .clear();  // chunks in flight are lost with the session; the next session may have other chunk sizes
        chunk = static_cast<std::uint32_t>(4 * (1 + random.below(60)));
        take_pulls(feed(task, SessionOpened{chunk}));
        continue;
      }
      const auto [offset, size] = in_flight.front();
      ASSERT_EQ(offset, received);
      in_flight.erase(in_flight.begin());
      const auto effects = feed(task, ChunkArrived{model, received, size});
      received += size;
      take_pulls(effects);
      EXPECT_EQ(count_of<VerifyBlob>(effects), received == bytes ? 1U : 0U);
    }
    EXPECT_TRUE(in_flight.empty()) << "more than the whole blob was requested";
    (void)feed(task, BlobVerified{model});
    EXPECT_EQ(task.state(), TaskState::training);
  }
}

TEST(ClientTask, ResumesTheFetchInANewSession) {
  ClientTask task(make_task(), ArchiveCache::present, chunk_bytes);
  (void)feed(task, SessionOpened{});
  (void)feed(task, ChunkArrived{model, 0, 100});
  (void)feed(task, ChunkArrived{model, 100, 100});
  const auto pulls = messages_of<messages::Pull>(feed(task, SessionOpened{}));
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].offset, 200U);
  EXPECT_EQ(pulls[0].bytes, ClientTask::chunks_in_flight * chunk_bytes);
}

TEST(ClientTask, DataThatACancelledTaskFetchedIsNotFetchedAgain) {
  ClientTask cancelled(make_task(), ArchiveCache::present, chunk_bytes);
  (void)feed(cancelled, SessionOpened{});
  (void)feed(cancelled, ChunkArrived{model, 0, 100});
  (void)feed(cancelled, CancelArrived{});
  ClientTask next(make_task(), ArchiveCache::present, chunk_bytes, {}, cancelled.fetched());
  EXPECT_EQ(messages_of<messages::Pull>(feed(next, SessionOpened{})).at(0).offset, 100U);
  ClientTask with_archive(make_task(), ArchiveCache::absent, chunk_bytes, {}, cancelled.fetched());
  EXPECT_EQ(messages_of<messages::Pull>(feed(with_archive, SessionOpened{})).at(0).offset, 0U);
  auto other = make_task();
  other.inputs[0].vector = counting_digest(9);
  ClientTask another(other, ArchiveCache::present, chunk_bytes, {}, cancelled.fetched());
  EXPECT_EQ(messages_of<messages::Pull>(feed(another, SessionOpened{})).at(0).offset, 0U);
  // A complete blob is not a partial one.
  ClientTask whole = trained(1'000);
  (void)feed(whole, CancelArrived{});
  EXPECT_EQ(whole.fetched().bytes, 0U);
}

TEST(ClientTask, OnASlowLinkLittleDataIsInFlight) {
  constexpr std::uint32_t large = 128 * 1024;
  ClientTask task(make_task(8 << 20), ArchiveCache::present, large);
  std::vector<TaskEffect> effects;
  Instant now{};
  (void)task.apply(SessionOpened{large}, now, effects);
  std::uint64_t received = 0;
  std::uint64_t asked = 0;
  while (received < (1 << 20)) {
    for (const auto& pull : messages_of<messages::Pull>(effects)) asked = pull.offset + pull.bytes;
    effects.clear();
    const std::uint64_t chunk = std::min<std::uint64_t>(10'000, asked - received);
    now += from_seconds(static_cast<double>(chunk) / 20e3);
    ASSERT_EQ(task.apply(ChunkArrived{model, received, chunk}, now, effects), Verdict::accepted);
    received += chunk;
  }
  EXPECT_LE(asked - received, 40'000U);
}

TEST(ClientTask, ANewSessionMayHaveOtherChunks) {
  ClientTask task = trained(1'000);
  (void)feed(task, SessionOpened{40});
  const auto effects = feed(task, GrantArrived{80, 180});
  std::vector<std::uint64_t> sizes;
  for (const auto& effect : effects) sizes.push_back(std::get<SendUpdateRange>(effect).bytes);
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{40, 40, 20}));
}

TEST(ClientTask, ChunksOutOfOrderEmptyOrTooLongAreDiscarded) {
  ClientTask task(make_task(), ArchiveCache::present, chunk_bytes);
  (void)feed(task, SessionOpened{});
  EXPECT_TRUE(feed(task, ChunkArrived{model, 100, 100}, Verdict::discarded).empty());
  EXPECT_TRUE(feed(task, ChunkArrived{model, 0, 0}, Verdict::discarded).empty());
  EXPECT_TRUE(feed(task, ChunkArrived{model, 0, 2'001}, Verdict::discarded).empty());
  EXPECT_TRUE(feed(task, ChunkArrived{archive, 0, 100}, Verdict::discarded).empty());
  (void)feed(task, ChunkArrived{model, 0, 100});
  EXPECT_TRUE(feed(task, ChunkArrived{model, 0, 100}, Verdict::discarded).empty()) << "doubled";
}

TEST(ClientTask, ADamagedBlobIsFetchedAgain) {
  ClientTask task(make_task(100), ArchiveCache::present, chunk_bytes);
  (void)feed(task, SessionOpened{});
  (void)feed(task, ChunkArrived{model, 0, 100});
  const auto pulls = messages_of<messages::Pull>(feed(task, BlobDamaged{model}));
  ASSERT_EQ(pulls.size(), 1U);
  EXPECT_EQ(pulls[0].offset, 0U);
  const auto effects = feed(task, ChunkArrived{model, 0, 100});
  EXPECT_EQ(count_of<VerifyBlob>(effects), 1U);
  EXPECT_EQ(count_of<StartTraining>(feed(task, BlobVerified{model})), 1U);
}

TEST(ClientTask, AnEmptyModelIsVerifiedAtOnce) {
  ClientTask task(make_task(0), ArchiveCache::present, chunk_bytes);
  const auto effects = feed(task, SessionOpened{});
  EXPECT_EQ(count_of<VerifyBlob>(effects), 1U);
  EXPECT_TRUE(messages_of<messages::Pull>(effects).empty());
  EXPECT_EQ(count_of<StartTraining>(feed(task, BlobVerified{model})), 1U);
  (void)feed(task, TrainingDone{make_offer(0)});
  EXPECT_TRUE(feed(task, GrantArrived{0, 0}).empty());
}

TEST(ClientTask, SendsExactlyWhatIsGranted) {
  ClientTask task = trained(1'000);
  std::uint64_t at = 0;
  for (const auto& [offset, limit] : {std::pair{0, 400}, std::pair{400, 650}, std::pair{650, 1'000}}) {
    for (const auto& effect :
         feed(task, GrantArrived{static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(limit)})) {
      const auto& range = std::get<SendUpdateRange>(effect);
      EXPECT_EQ(range.offset, at);
      EXPECT_LE(range.bytes, chunk_bytes);
      at += range.bytes;
    }
    EXPECT_EQ(at, static_cast<std::uint64_t>(limit));
  }
}

TEST(ClientTask, GrantsBeyondTheOfferAreRefused) {
  ClientTask task = trained(1'000);
  EXPECT_TRUE(feed(task, GrantArrived{0, 1'001}, Verdict::discarded).empty());
  EXPECT_TRUE(feed(task, GrantArrived{500, 400}, Verdict::discarded).empty());
  EXPECT_TRUE(feed(task, GrantArrived{~0ULL, ~0ULL}, Verdict::discarded).empty());
  EXPECT_EQ(task.state(), TaskState::offering);
}

TEST(ClientTask, AtMostTheMaximumNumberOfChunksOfAGrantIsSent) {
  ClientTask task = trained(1 << 30);
  const auto effects = feed(task, GrantArrived{200, 1 << 30});
  ASSERT_EQ(effects.size(), ClientTask::grant_chunks_max);
  EXPECT_EQ(std::get<SendUpdateRange>(effects.front()).offset, 200U);
}

TEST(ClientTask, ANewSessionDuringTheUploadOffersTheSameUpdateAgain) {
  ClientTask task = trained(1'000);
  (void)feed(task, GrantArrived{0, 400});
  const auto offers = messages_of<messages::Offer>(feed(task, SessionOpened{}));
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_EQ(offers[0].bytes, 1'000U);
}

TEST(ClientTask, ACountedUpdateAnswersTheSameTaskAgain) {
  // The aggregator crashed before the commit, and sends the task again.
  ClientTask task = trained(1'000);
  (void)feed(task, ReceiptArrived{messages::Verdict::counted});
  EXPECT_TRUE(task.same_work(make_task(chunk_bytes)));
  EXPECT_EQ(messages_of<messages::Offer>(feed(task, SessionOpened{})).size(), 1U);
}

TEST(ClientTask, ANewSessionDuringTrainingDoesNotStartItAgain) {
  ClientTask task(make_task(100), ArchiveCache::present, chunk_bytes);
  (void)feed(task, SessionOpened{});
  (void)feed(task, ChunkArrived{model, 0, 100});
  EXPECT_TRUE(feed(task, SessionOpened{}).empty()) << "the blob is complete and being verified";
  (void)feed(task, BlobVerified{model});
  EXPECT_TRUE(feed(task, SessionOpened{}).empty());
  EXPECT_EQ(task.state(), TaskState::training);
}

TEST(ClientTask, CancelStopsOnlyARunningTraining) {
  ClientTask fetching(make_task(), ArchiveCache::present, chunk_bytes);
  EXPECT_TRUE(feed(fetching, CancelArrived{}).empty());
  ClientTask training(make_task(100), ArchiveCache::present, chunk_bytes);
  (void)feed(training, SessionOpened{});
  (void)feed(training, ChunkArrived{model, 0, 100});
  (void)feed(training, BlobVerified{model});
  EXPECT_EQ(count_of<StopTraining>(feed(training, CancelArrived{})), 1U);
}

TEST(ClientTask, AnotherSeedInputMethodOrOutputIsAnotherTask) {
  const ClientTask task(make_task(), ArchiveCache::present, chunk_bytes);
  auto other = make_task();
  EXPECT_TRUE(task.same_work(other));
  other.deadline_ms = 9;  // only the remaining time differs
  EXPECT_TRUE(task.same_work(other));
  other.seed = 9;
  EXPECT_FALSE(task.same_work(other));
  other = make_task();
  other.inputs[0].vector = archive;
  EXPECT_FALSE(task.same_work(other));
  other = make_task();
  other.method = sgd_method({.epochs = 9});
  EXPECT_FALSE(task.same_work(other));
  other = make_task();
  other.inputs.push_back({"control", control, 2'000, {}, {}});
  EXPECT_FALSE(task.same_work(other));
  other = make_task();
  other.outputs[0].segments = {{500, {codecs::Kind::f16, 0, 0, 0}, 0}};
  EXPECT_FALSE(task.same_work(other));
  other = make_task();
  other.hold_out = HoldOut{0.2, Measure::yes};
  EXPECT_FALSE(task.same_work(other));
}

}  // namespace
}  // namespace hansa::round
