// After a restart: which task of each client was the last one that counted.
#include "server/engine/internal/last_counted.h"

#include <gtest/gtest.h>

#include "server/coordinator/task_id.h"
#include "server/store/memory_store.h"
#include "tests/server_parts/store_fixtures.h"

namespace hansa::server::internal {
namespace {

const std::vector<std::string> clients = {"lubeck", "riga", "visby"};

class LastCounted : public ::testing::Test {
 protected:
  LastCounted() {
    const auto model = model_of(0, 4);
    identity_ = identity_of(model);
    EXPECT_TRUE(store_.begin_run(identity_, model));
  }
  RoundRecord& begin_round() {
    record_ = {};
    record_.round = RoundId(++last_);
    record_.started_at = "2024-05-01T12:00:00Z";
    record_.base = record_.model = identity_.initial_model;
    return record_;
  }
  void commit(std::initializer_list<const char*> counted) {
    for (const char* client : counted)
      record_.participations.push_back(participation_of(client, Outcome::counted, ""));
    const auto done = store_.commit_round(record_);
    ASSERT_TRUE(done) << done.error().text();
  }
  [[nodiscard]] std::map<std::string, std::vector<TaskId>, std::less<>> read() {
    auto out = read_last_counted(store_, RoundId(last_), {identity_.seed, identity_.run, clients});
    EXPECT_TRUE(out) << out.error().text();
    return *std::move(out);
  }
  [[nodiscard]] TaskId task(const std::string& client, std::uint32_t round, std::uint32_t opened = 0) const {
    return make_task_id(identity_.seed, identity_.run, {RoundId(round), opened}, client);
  }

  MemoryStore store_{std::make_shared<MemoryDisk>()};
  RunIdentity identity_;
  RoundRecord record_;
  std::uint32_t last_ = 0;
};

TEST_F(LastCounted, IsTheNewestRoundOfEachClient) {
  EXPECT_TRUE(read().empty());
  begin_round();
  commit({"lubeck", "riga", "visby"});
  begin_round().participations.push_back(participation_of("visby", Outcome::late, "after the deadline"));
  commit({"riga"});
  begin_round();
  commit({"lubeck"});
  const auto counted = read();
  EXPECT_EQ(counted.at("lubeck"), std::vector{task("lubeck", 3)});
  EXPECT_EQ(counted.at("riga"), std::vector{task("riga", 2)});
  EXPECT_EQ(counted.at("visby"), std::vector{task("visby", 1)});
}

TEST_F(LastCounted, OfASecureSumIsOneOfTheTasksOfItsAttempts) {
  begin_round().secure.emplace();
  record_.attempt = 3;
  commit({"riga"});
  EXPECT_EQ(read().at("riga"), (std::vector{task("riga", 1, 0), task("riga", 1, 1), task("riga", 1, 2)}));
}

TEST_F(LastCounted, OfABufferIsTheLastArrivalOfTheClient) {
  begin_round();
  commit({"riga"});
  begin_round().arrivals = {
      {"riga", RoundId(0), 1, 1, 10}, {"visby", RoundId(1), 0, 0, 10}, {"riga", RoundId(1), 0, 0, 10}};
  commit({"riga", "visby"});
  const auto counted = read();
  EXPECT_EQ(counted.at("riga"), std::vector{task("riga", 2, 0)});
  EXPECT_EQ(counted.at("visby"), std::vector{task("visby", 2, 0)});
}

TEST_F(LastCounted, OfALongRunOnlyTheNewestRoundsAreRead) {
  begin_round();
  commit({"visby"});
  for (int round = 0; round < 100; ++round) {
    begin_round();
    commit({"riga"});
  }
  const auto counted = read();
  EXPECT_EQ(counted.size(), 1U);
  EXPECT_EQ(counted.at("riga"), std::vector{task("riga", 101)});
}

}  // namespace
}  // namespace hansa::server::internal
