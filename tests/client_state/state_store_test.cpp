// A client's state: what it holds after each call, after damage and after a restart.
#include <array>
#include <bit>
#include <fstream>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "client/state/state_store.h"
#include "tests/client_state/arrivals.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;
using testing::arrival_of;

constexpr TaskId another(1'000'000);  // a task that was not applied

// A counted update that was trained on the new examples up to the mark.
Result<void> apply(StateStore& store, std::uint64_t mark, std::uint64_t replay_max, std::uint64_t seed = 7) {
  return testing::count(store, {TaskId(mark), seed, mark, {}}, {replay_max});
}

class State : public ::testing::Test {
 protected:
  void open() {
    store_.reset();
    auto store = StateStore::open(folder_ / "state");
    ASSERT_TRUE(store) << store.error().text();
    store_ = std::move(*store);
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "state" / StateStore::file_name; }
  [[nodiscard]] std::size_t damaged_files() const {
    std::size_t out = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "state"))
      out += entry.path().filename().string().starts_with("state.sqlite.damaged-") &&
             !entry.path().string().ends_with("-wal") && !entry.path().string().ends_with("-shm");
    return out;
  }
  // Changes the byte in the middle of the first occurrence of `what`.
  void flip(const std::string& what) const {
    std::fstream in(file(), std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto at = bytes.find(what);
    ASSERT_NE(at, std::string::npos);
    in.clear();
    in.seekp(static_cast<std::streamoff>(at + what.size() / 2));
    in.put(static_cast<char>(bytes[at + what.size() / 2] ^ 1));
  }

  TemporaryFolder folder_;
  std::unique_ptr<StateStore> store_;
};

learning::Arrival named(learning::Arrival arrival, std::vector<std::string> columns) {
  arrival.description = learning::describe(arrival.examples.shape);
  arrival.description->columns = std::move(columns);
  arrival.description->label = "outcome";
  return arrival;
}

TEST_F(State, ExamplesWhoseColumnsHaveAnotherOrderAreNotMixedWithThoseHeld) {
  open();
  ASSERT_TRUE(store_->add(named(arrival_of(0, 3), {"age", "bmi"})));
  open();
  const auto description = store_->description();
  ASSERT_TRUE(description && *description);
  EXPECT_EQ((**description).columns, (std::vector<std::string>{"age", "bmi"})) << "names are kept";
  EXPECT_EQ((**description).label, "outcome");
  const auto added = store_->add(named(arrival_of(3, 2), {"bmi", "age"}));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().reason, (Reason{ReasonCode::columns_changed, {{Quantity::column, 1}}}));
  EXPECT_NE(added.error().text().find(
                "column 1 is \"bmi\", but in the examples of the client's state it is \"age\""),
            std::string::npos)
      << added.error().text();
  EXPECT_EQ(store_->counts().value().fresh, 3U);
  EXPECT_TRUE(store_->add(named(arrival_of(3, 2), {"age", "bmi"})));
}

TEST_F(State, NamesAreLearntForExamplesThatAnEarlierVersionStored) {
  open();
  ASSERT_TRUE(store_->add(arrival_of(0, 3)));
  ASSERT_TRUE(store_->add(named(arrival_of(3, 2), {"age", "bmi"})));
  EXPECT_FALSE(store_->add(named(arrival_of(5, 2), {"bmi", "age"})));
}

TEST_F(State, ExamplesAndPositionAreThereAfterARestart) {
  open();
  ASSERT_TRUE(store_->add(arrival_of(0, 3, "{\"offset\":30}")));
  ASSERT_TRUE(store_->add(arrival_of(3, 2, "{\"offset\":50}")));
  open();
  EXPECT_EQ(store_->position("rows.csv").value(), "{\"offset\":50}");
  EXPECT_EQ(store_->position("other.csv").value(), std::nullopt);
  const auto consumed = store_->consumed();
  ASSERT_TRUE(consumed);
  ASSERT_EQ(consumed->size(), 1U);
  EXPECT_EQ(consumed->at(0).records, 5U);
  EXPECT_EQ(consumed->at(0).examples, 5U);
  EXPECT_EQ(consumed->at(0).digest.value(), arrival_of(0, 5).digest.value());
  const auto snapshot = store_->snapshot(another);
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->fresh, 5U);
  EXPECT_EQ(snapshot->examples.values<std::int64_t>(1), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(snapshot->examples.values<float>(0)[6], 3.0F);
  EXPECT_EQ(snapshot->examples.shape.targets[0].class_count, 5);
}

TEST_F(State, WhatACountedUpdateWasTrainedOnIsNotNewAnyMore) {
  open();
  ASSERT_TRUE(store_->add(arrival_of(0, 4)));
  const auto snapshot = store_->snapshot(another);
  ASSERT_TRUE(store_->add(arrival_of(4, 2)));  // arrived during the training
  ASSERT_TRUE(apply(*store_, snapshot->mark, 3));
  for (int again = 0; again < 2; ++again) {
    const auto counts = store_->counts();
    ASSERT_TRUE(counts);
    EXPECT_EQ(counts->fresh, 2U);
    EXPECT_EQ(counts->replay, 3U);
    EXPECT_EQ(counts->trained, 4U);
    ASSERT_TRUE(apply(*store_, snapshot->mark, 3));  // the same receipt again
  }
  const auto next = store_->snapshot(another);
  EXPECT_EQ(next->fresh, 2U);
  EXPECT_EQ(next->examples.count(), 5U);
}

TEST_F(State, WithoutReplayNothingIsKept) {
  open();
  ASSERT_TRUE(store_->add(arrival_of(0, 4)));
  ASSERT_TRUE(apply(*store_, store_->snapshot(another)->mark, 0));
  EXPECT_EQ(store_->counts()->available(), 0U);
  EXPECT_EQ(store_->snapshot(another).error().code, ErrorCode::data);
  // Numbers are never reused, so that an old mark does not cover new examples.
  ASSERT_TRUE(store_->add(arrival_of(4, 1)));
  ASSERT_TRUE(apply(*store_, 4, 0));
  EXPECT_EQ(store_->counts()->fresh, 1U);
}

// Each example of the stream is in a reservoir of 10 after N examples with probability 10 / N, whatever its position.
TEST_F(State, TheReservoirIsAUniformSample) {
  constexpr std::size_t groups = 4, size = 10;
  std::array<double, groups> kept{};
  double expected = 0;
  for (std::size_t run = 0; run < 300; ++run) {
    const auto store = StateStore::in_memory().value();
    const std::size_t before = 1 + run;  // examples that are not checked below
    ASSERT_TRUE(store->add(arrival_of(0, before)));
    ASSERT_TRUE(apply(*store, store->snapshot(another)->mark, size, run));
    for (std::size_t group = 0; group < groups; ++group)
      ASSERT_TRUE(store->add(arrival_of(static_cast<std::int64_t>(1'000 + size * group), size)));
    ASSERT_TRUE(apply(*store, store->snapshot(another)->mark, size, run));
    const auto snapshot = store->snapshot(another);
    ASSERT_TRUE(snapshot);
    ASSERT_EQ(snapshot->examples.count(), size);
    for (const std::int64_t label : snapshot->examples.values<std::int64_t>(1))
      if (label >= 1'000) ++kept[(static_cast<std::size_t>(label) - 1'000) / size];
    expected += static_cast<double>(size * size) / static_cast<double>(before + groups * size);
  }
  for (const double k : kept) EXPECT_NEAR(k / expected, 1, 0.2) << expected;
}

TEST_F(State, ExamplesOfAnotherShapeAreRefusedAndNothingIsLost) {
  open();
  ASSERT_TRUE(store_->add(arrival_of(0, 2, "first")));
  auto other = arrival_of(2, 1, "second");
  other.examples = learning::Examples(learning::one_input({1}, learning::class_target(2)));
  other.examples.values<float>(0) = {1};
  other.examples.values<std::int64_t>(1) = {1};
  const auto refused = store_->add(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::data);
  EXPECT_NE(refused.error().text().find("holds examples of `x`: float32 [2]"), std::string::npos)
      << refused.error().text();
  EXPECT_EQ(store_->position("rows.csv").value(), "first");
  EXPECT_EQ(store_->counts()->fresh, 2U);
  EXPECT_EQ(damaged_files(), 0U);
}

TEST_F(State, TwoClientsDoNotShareAFolder) {
  open();
  const auto second = StateStore::open(folder_ / "state");
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().text().find("is in use by process"), std::string::npos) << second.error().text();
  EXPECT_TRUE(StateStore::open_to_read(folder_ / "state"));
}

TEST_F(State, AFileThatIsNoDatabaseIsSetAsideAndTheClientStartsClean) {
  std::filesystem::create_directories(folder_ / "state");
  learning::testing::write_text(file(), std::string(5'000, 'x'));
  open();
  EXPECT_EQ(damaged_files(), 1U);
  EXPECT_NE(store_->take_notice().value().what.find("set aside as"), std::string::npos);
  EXPECT_FALSE(store_->take_notice());
  EXPECT_EQ(store_->counts()->available(), 0U);
  ASSERT_TRUE(store_->add(arrival_of(0, 1)));
}

TEST_F(State, ATruncatedFileIsSetAside) {
  open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store_->add(arrival_of(i * 50, 50)));
  store_.reset();
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  open();
  EXPECT_EQ(damaged_files(), 1U);
  EXPECT_EQ(store_->counts()->available(), 0U);
}

// SQLite itself does not notice this.
TEST_F(State, ABitThatFlippedInAValueIsFoundWhenItIsRead) {
  open();
  const float marker = std::bit_cast<float>(std::array<char, 4>{'H', 'E', 'A', 'D'});
  const std::vector<float> head(6, marker);
  ASSERT_TRUE(testing::count(*store_, {TaskId(1), 7, 0, {{"personal/a", {{}, head}}}}, {}));
  ASSERT_TRUE(store_->add(arrival_of(0, 1)));
  store_.reset();
  flip("HEADHEADHEAD");
  open();
  EXPECT_EQ(damaged_files(), 0U);
  const std::uint64_t generation = store_->generation();
  const auto value = store_->find(TaskId(2), "personal");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::storage);
  EXPECT_EQ(damaged_files(), 1U);
  EXPECT_NE(store_->generation(), generation);
  EXPECT_TRUE(store_->take_notice());
  // And continues with an empty state.
  EXPECT_TRUE(store_->find(TaskId(2), "personal")->empty());
  EXPECT_EQ(store_->counts()->available(), 0U);
}

TEST_F(State, TheModelsThatMethodsKeepAreThereAfterARestart) {
  open();
  const learning::KeptVector own(sha256("layout"), {1, 2, 3}), previous(sha256("layout"), {4, 5, 6});
  ASSERT_TRUE(testing::count(
      *store_, {TaskId(1), 7, 0, {{"training/a/ditto", own}, {"training/a/moon.previous", previous}}}, {}));
  open();
  const auto found = store_->find(another, "training/a");
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(*found, (learning::KeptVectors{{"ditto", own}, {"moon.previous", previous}}));
}

TEST_F(State, OpenedSumsAreThereAfterARestart) {
  open();
  secure_aggregation::OpenedSum sum{sha256(std::string_view("model")),
                                    checksum("update"),
                                    {secure_aggregation::tag_of("a"), secure_aggregation::tag_of("b")},
                                    sha256(std::string_view("grid")),
                                    7};
  ASSERT_TRUE(store_->add_opened(sum));
  sum.survivors.clear();
  sum.certificate_epoch = 8;
  ASSERT_TRUE(store_->add_opened(sum));
  open();
  const auto opened = store_->opened_sums();
  ASSERT_TRUE(opened) << opened.error().text();
  ASSERT_EQ(opened->size(), 2U);
  EXPECT_EQ((*opened)[0].certificate_epoch, 7U);
  EXPECT_EQ((*opened)[0].survivors.size(), 2U);
  EXPECT_EQ((*opened)[1], sum);
}

TEST_F(State, AStoreOfANewerHansaIsLeftAsItIs) {
  open();
  store_.reset();
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  const auto store = StateStore::open(folder_ / "state");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text().find("newer Hansa"), std::string::npos);
  EXPECT_EQ(damaged_files(), 0U);
}

TEST_F(State, AnotherProgramsDatabaseIsNotWrittenOver) {
  std::filesystem::create_directories(folder_ / "state");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
  EXPECT_EQ(
      sqlite3_exec(database, "CREATE TABLE sources (a); PRAGMA user_version = 1", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(database);
  open();
  EXPECT_EQ(damaged_files(), 1U);
}

}  // namespace
}  // namespace hansa::client
