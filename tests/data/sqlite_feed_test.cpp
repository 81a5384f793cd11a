// A table to which another program adds rows: each is read once, and what that means for other changes.
#include <gmock/gmock.h>
#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/data/following.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FollowedTable : public testing::Following {
 protected:
  void SetUp() override {
    data_.kind = "sqlite";
    data_.file = folder_ / "a.db";
    data_.label = "y";
    data_.query = "SELECT id, x, y FROM t; -- all";
    follow_.sequence = "id";
    execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, x, y)");
  }
  void execute(const std::string& statement) {
    SQLite::Database database(data_.file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5'000);
    database.exec(statement);
  }
  void add(const std::string& rows) { execute("INSERT INTO t (x, y) VALUES " + rows); }

  // Notes and the error are those of the last call.
  Labels take(std::uint64_t records_max = 1'000) {
    notes_.clear();
    error_.clear();
    return Following::take(records_max);
  }
};

TEST_F(FollowedTable, NewRowsAreReadOnceAlsoAfterARestart) {
  add("(0.5, 0), (1.5, 1)");
  EXPECT_EQ(take(), (Labels{0, 1}));
  EXPECT_THAT(inputs_, ElementsAre(0.5F, 1.5F));  // the number of a row is no input
  EXPECT_THAT(description_->columns, ElementsAre("x"));
  EXPECT_EQ(description_->label, "y");
  EXPECT_THAT(take(), IsEmpty());
  add("(2.5, 2)");
  EXPECT_EQ(take(), (Labels{2}));
  add("(3.5, 1)");
  restart();
  EXPECT_EQ(take(), (Labels{1}));
  restart();
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(records_, 4U);
  MultisetDigest expected;
  for (const char* id : {"1", "2", "3", "4"}) expected.add(std::string_view(id));
  EXPECT_EQ(digest_.value(), expected.value());
  EXPECT_EQ(error_, "");
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(FollowedTable, AnArrivalThatIsNotStoredComesAgain) {
  add("(1, 0), (2, 1), (3, 2)");
  restart();
  ASSERT_EQ(feed_->next(2).value()->records, 2U);
  EXPECT_EQ(feed_->next(2).value()->records, 2U);
  EXPECT_EQ(take(2), (Labels{0, 1, 2}));
}

TEST_F(FollowedTable, RowsArriveInTheOrderOfTheirNumbersWhateverTheQuerysOrder) {
  add("(1, 0), (2, 1), (3, 2)");
  execute("INSERT INTO t VALUES (-9223372036854775807, 9, 9), (70000000000, 5, 5)");
  data_.query = "WITH big AS (SELECT * FROM t) SELECT y, id, x + 0.0 AS x FROM big ORDER BY x DESC LIMIT 99";
  EXPECT_EQ(take(2), (Labels{9, 0, 1, 2, 5}));
}

TEST_F(FollowedTable, TheRowidServesAsTheNumber) {
  execute("CREATE TABLE plain (x, y)");
  data_.query = "SELECT rowid AS n, * FROM plain";
  follow_.sequence = "n";
  execute("INSERT INTO plain VALUES (1, 1), (2, 0)");
  EXPECT_EQ(take(), (Labels{1, 0}));
  execute("INSERT INTO plain VALUES (3, 2)");
  EXPECT_EQ(take(), (Labels{2}));
}

TEST_F(FollowedTable, ChangedAndDeletedRowsAreNotNoticed) {
  add("(1, 0), (2, 1), (3, 2)");
  EXPECT_EQ(take(), (Labels{0, 1, 2}));
  execute("UPDATE t SET y = 5 WHERE id = 1");
  execute("DELETE FROM t WHERE id = 2");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(FollowedTable, ATableWithLowerNumbersIsReportedOnceAndReadFromTheLastNumberOn) {
  add("(1, 0), (2, 1), (3, 2)");
  EXPECT_EQ(take(), (Labels{0, 1, 2}));
  std::filesystem::remove(data_.file);
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y)");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("a.db: is empty, but rows up to 3 were read: it was replaced, or "
                                            "its last rows were deleted; rows with a larger number")));
  add("(9, 0), (9, 1)");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  add("(9, 2), (9, 3)");
  EXPECT_EQ(take(), (Labels{3}));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  execute("DELETE FROM t WHERE id > 2");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("its largest id is 2, but rows up to 4 were read")));
}

TEST_F(FollowedTable, ADatabaseThatIsCreatedLaterIsFound) {
  std::filesystem::remove(data_.file);
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(error_, "");
  execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x, y)");
  add("(1, 1)");
  EXPECT_EQ(take(), (Labels{1}));
}

TEST_F(FollowedTable, ABadRowStopsUntilItIsCorrected) {
  add("(1, 0), ('low', 1), (3, 2)");
  EXPECT_EQ(take(), (Labels{0}));
  EXPECT_THAT(error_, HasSubstr("a.db: row with id 2: column \"x\": is \"low\", which is not a number"));
  execute("UPDATE t SET x = 2 WHERE id = 2");
  EXPECT_EQ(take(), (Labels{1, 2}));
  EXPECT_EQ(error_, "");
}

TEST_F(FollowedTable, ABadRowIsSkippedIfTheConfigurationSaysSo) {
  follow_.bad_rows = BadRows::skip;
  add("(1, 0), ('low', 1), (3, NULL), (4, 2)");
  EXPECT_EQ(take(2), (Labels{0, 2}));
  EXPECT_EQ(records_, 4U);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("row with id 2"), HasSubstr("row with id 3: column \"y\"")));
  restart();
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(FollowedTable, ANumberThatIsThereTwiceIsReadOnceAndOneThatIsNoIntegerIsAnError) {
  execute("CREATE TABLE u (n, x, y)");
  data_.query = "SELECT * FROM u";
  follow_.sequence = "n";
  execute("INSERT INTO u VALUES (1, 1, 0), (2, 2, 1), (2, 3, 2)");
  for (const std::uint64_t at_once : {2U, 3U}) {
    positions_.clear();
    restart();
    EXPECT_EQ(take(at_once), (Labels{0, 1}));
    EXPECT_THAT(notes_, ElementsAre(HasSubstr("a.db: row with n 2: is there twice")));
  }
  execute("DELETE FROM u");
  positions_.clear();
  execute("INSERT INTO u VALUES (1, 1, 0), (1.5, 2, 1)");
  restart();
  EXPECT_EQ(take(), (Labels{0}));
  EXPECT_THAT(error_, HasSubstr("a.db: a row: has a value of data.sequence that is no integer"));
}

TEST_F(FollowedTable, TheSequenceMustBeAColumnOfTheQueryAndStayTheSame) {
  add("(1, 0)");
  follow_.sequence = "ids";
  take();
  EXPECT_THAT(error_, HasSubstr("has no column \"ids\", which data.sequence names; did you mean \"id\"?"));
  follow_.sequence = "y";
  restart();
  take();
  EXPECT_THAT(error_, HasSubstr("data.sequence: is the label"));
  follow_.sequence = "id";
  restart();
  EXPECT_EQ(take(), (Labels{0}));
  follow_.sequence = "x";
  restart();
  take();
  EXPECT_THAT(error_, HasSubstr("data.sequence: is \"x\", but the client's state has rows by \"id\""));
}

// The wait is SQLite's busy timeout.
TEST_F(FollowedTable, ALockedDatabaseIsAnErrorAfterAWhileAndReadWhenItIsFree) {
  add("(1, 0)");
  SQLite::Database writer(data_.file.string(), SQLite::OPEN_READWRITE, 5'000);
  writer.exec("BEGIN EXCLUSIVE; INSERT INTO t (x, y) VALUES (2, 1)");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(error_, HasSubstr("cannot be read (database is locked); the program that writes to it"));
  writer.exec("COMMIT");
  EXPECT_EQ(take(), (Labels{0, 1}));
  EXPECT_EQ(error_, "");
}

TEST_F(FollowedTable, RowsAreReadWhileAnotherProgramWritesInWalMode) {
  execute("PRAGMA journal_mode = WAL");
  SQLite::Database writer(data_.file.string(), SQLite::OPEN_READWRITE, 5'000);
  Labels taken;
  for (std::int64_t i = 0; i < 50; ++i) {
    writer.exec("BEGIN; INSERT INTO t (x, y) VALUES (1, " + std::to_string(i) + ")");
    const Labels before = take();  // not committed yet
    taken.insert(taken.end(), before.begin(), before.end());
    EXPECT_EQ(taken.size(), static_cast<std::size_t>(i));
    writer.exec("COMMIT");
    const Labels now = take();
    taken.insert(taken.end(), now.begin(), now.end());
  }
  Labels expected(50);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(taken, expected);
}

}  // namespace
}  // namespace hansa::learning
