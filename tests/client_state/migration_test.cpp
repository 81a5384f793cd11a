// A state that version 0.1 wrote (schema 1) is brought up to date when it is opened.
#include <cstring>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "client/state/state_store.h"
#include "tests/client_state/arrivals.h"
#include "tests/client_state/count.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;

constexpr const char* schema_1 = R"sql(
CREATE TABLE sources (source TEXT PRIMARY KEY, records INTEGER NOT NULL, examples INTEGER NOT NULL,
                      digest BLOB NOT NULL, position BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE shape (id INTEGER PRIMARY KEY CHECK (id = 1), shape BLOB NOT NULL);
CREATE TABLE fresh (id INTEGER PRIMARY KEY AUTOINCREMENT, example BLOB NOT NULL);
CREATE TABLE replay (slot INTEGER PRIMARY KEY, example BLOB NOT NULL);
CREATE TABLE trained (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL, seed INTEGER NOT NULL);
INSERT INTO trained VALUES (1, 42, random());
CREATE TABLE kept (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 0x48414E53;
PRAGMA user_version = 1;
)sql";

std::vector<std::byte> bytes_of(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

class Migration : public ::testing::Test {
 protected:
  Migration() {
    std::filesystem::create_directories(folder_ / "state");
    EXPECT_EQ(sqlite3_open((folder_ / "state" / StateStore::file_name).c_str(), &database_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database_, schema_1, nullptr, nullptr, nullptr), SQLITE_OK);
  }
  ~Migration() override { sqlite3_close(database_); }
  void keep(const std::string& key, const std::vector<std::byte>& value) {
    std::vector<std::byte> sealed(16 + value.size());
    std::memcpy(sealed.data(), sha256(std::span(value)).bytes.data(), 16);
    std::memcpy(sealed.data() + 16, value.data(), value.size());
    sqlite3_stmt* statement = nullptr;
    ASSERT_EQ(sqlite3_prepare_v2(database_, "INSERT INTO kept VALUES (?, ?)", -1, &statement, nullptr),
              SQLITE_OK);
    sqlite3_bind_text(statement, 1, key.c_str(), -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(statement, 2, sealed.data(), static_cast<int>(sealed.size()), SQLITE_TRANSIENT);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
  }
  [[nodiscard]] std::unique_ptr<StateStore> open() {
    sqlite3_close(std::exchange(database_, nullptr));
    auto store = StateStore::open(folder_ / "state");
    EXPECT_TRUE(store) << store.error().text();
    EXPECT_FALSE((*store)->take_notice());
    return std::move(*store);
  }

  TemporaryFolder folder_;
  sqlite3* database_ = nullptr;
};

TEST_F(Migration, PersonalLayersAndResidualsAreKept) {
  const Digest archive = sha256(std::string_view("archive")), layout = sha256(std::string_view("layout")),
               plan = sha256(std::string_view("plan"));
  const std::vector<float> head{1, 2, 3}, residual{4, 5};
  keep("personal/" + archive.hex() + "/" + layout.hex(), bytes_of(head));
  std::vector<std::byte> codec(plan.bytes.size());
  std::memcpy(codec.data(), plan.bytes.data(), plan.bytes.size());
  const auto values = bytes_of(residual);
  codec.insert(codec.end(), values.begin(), values.end());
  keep("codec state", codec);
  for (int start = 0; start < 2; ++start) {
    const auto store = open();
    EXPECT_EQ(store->find(TaskId(1), "training/" + archive.hex()).value(),
              (learning::KeptVectors{{"personal/" + layout.hex(), {layout, head}}}));
    EXPECT_EQ(store->find(TaskId(1), "codec").value(),
              (learning::KeptVectors{{"residual", {plan, residual}}}));
    EXPECT_EQ(store->counts()->trained, 42U);
  }
}

TEST_F(Migration, ExamplesAreKept) {
  // Sealed by the store itself: the shape of two inputs and a class, and an example of each table.
  const TemporaryFolder other;
  {
    const auto store = StateStore::open(other / "state").value();
    ASSERT_TRUE(store->add(testing::arrival_of(0, 2)));
  }
  const std::string attach = "ATTACH '" + (other / "state" / StateStore::file_name).string() +
                             "' AS other; " + "INSERT INTO shape SELECT * FROM other.shape; " +
                             "INSERT INTO fresh SELECT id, example FROM other.fresh WHERE id = 1; " +
                             "INSERT INTO replay SELECT 0, example FROM other.fresh WHERE id = 2;";
  ASSERT_EQ(sqlite3_exec(database_, attach.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  const auto store = open();
  const auto snapshot = store->snapshot(TaskId(1)).value();
  EXPECT_EQ(snapshot.examples.values<std::int64_t>(1), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(snapshot.fresh, 1U);
  EXPECT_EQ(store->counts()->replay, 1U);
}

TEST_F(Migration, AStateThatIsOnlyReadIsNotChanged) {
  const auto store = StateStore::open_to_read(folder_ / "state");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text().find("older Hansa"), std::string::npos) << store.error().text();
}

TEST_F(Migration, AnIntactStateThatCannotBeConvertedIsNotTouched) {
  // A table of the user's has the name that the conversion needs.
  EXPECT_EQ(sqlite3_exec(database_, "CREATE TABLE kept_1 (a)", nullptr, nullptr, nullptr), SQLITE_OK);
  for (int start = 0; start < 2; ++start) {
    const auto store = StateStore::open(folder_ / "state");
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::storage);
    EXPECT_NE(store.error().text().find("cannot be brought up to date"), std::string::npos);
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "state"))
    EXPECT_EQ(entry.path().filename().string().find("damaged"), std::string::npos) << entry.path();
  EXPECT_EQ(sqlite3_exec(database_, "SELECT seed FROM trained", nullptr, nullptr, nullptr), SQLITE_OK)
      << "the tables are as they were";
}

TEST_F(Migration, ADamagedValueSetsTheStateAside) {
  keep("codec state", std::vector<std::byte>(40));
  EXPECT_EQ(sqlite3_exec(database_, "UPDATE kept SET value = zeroblob(56)", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(std::exchange(database_, nullptr));
  const auto store = StateStore::open(folder_ / "state");
  ASSERT_TRUE(store) << store.error().text();
  EXPECT_NE((*store)->take_notice().value().what.find("set aside as"), std::string::npos);
}

// What the versions between the first and the last one lack.
struct Older {
  int version;
  const char* without;
};
class MigrationFromLater : public ::testing::TestWithParam<Older> {};

TEST_P(MigrationFromLater, KeepsVectorsAndTakesNewOnes) {
  const TemporaryFolder folder;
  const learning::KeptVector head({}, {1, 2}), next({}, {3, 4});
  ASSERT_TRUE(
      testing::count(*StateStore::open(folder / "state").value(), {TaskId(1), 7, 0, {{"a/x", head}}}, {}));
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "state" / StateStore::file_name).c_str(), &database), SQLITE_OK);
  const std::string older =
      GetParam().without + std::string("; PRAGMA user_version = ") + std::to_string(GetParam().version);
  EXPECT_EQ(sqlite3_exec(database, older.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
  for (int start = 0; start < 2; ++start) {
    const auto store = StateStore::open(folder / "state");
    ASSERT_TRUE(store) << store.error().text();
    EXPECT_FALSE((*store)->take_notice());
    EXPECT_EQ((*store)->find(TaskId(2), "a").value(), (learning::KeptVectors{{"x", head}}));
    EXPECT_TRUE((*store)->opened_sums().value().empty());
    ASSERT_TRUE((*store)->stage({TaskId(2), 7, 0, {{"a/x", next}}}, {}));
  }
  const auto store = StateStore::open(folder / "state").value();
  EXPECT_TRUE(store->apply(TaskId(2), {}).value());
  EXPECT_EQ(store->find(TaskId(3), "a").value(), (learning::KeptVectors{{"x", next}}));
}

INSTANTIATE_TEST_SUITE_P(Versions, MigrationFromLater,
                         ::testing::Values(Older{2, "DROP TABLE staged; DROP TABLE opened"},
                                           Older{3, "DROP TABLE staged; ALTER TABLE opened DROP COLUMN grid"},
                                           Older{4, "DROP TABLE staged"}),
                         [](const auto& test) { return "from_" + std::to_string(test.param.version); });

}  // namespace
}  // namespace hansa::client
