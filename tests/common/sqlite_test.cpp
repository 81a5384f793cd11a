#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/sqlite/statement.h"
#include "tests/temporary_folder.h"

namespace hansa::sqlite {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

TEST(SqliteStatement, EveryTypeIsReadBackAsItWasBound) {
  const auto database = open_in_memory();
  database->exec("CREATE TABLE t (a, b, c, d, e, f, g, h)");
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
  const std::vector<double> reals{0.1, -1e-300};
  const std::string text("a\0b \xFF", 5);
  Statement(*database, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(largest, RoundId(7), 1.0 / 3, text, sha256("d"), checksum("c"), std::span(bytes),
           std::span(reals));
  Statement rows(*database, "SELECT * FROM t");
  ASSERT_TRUE(rows.next());
  std::uint64_t number = 0;
  RoundId round;
  double real = 0;
  std::string got_text;
  Digest digest;
  Checksum sum;
  std::vector<std::byte> got_bytes;
  std::vector<double> got_reals;
  rows.read(number, round, real, got_text, digest, sum, got_bytes, got_reals);
  EXPECT_EQ(number, largest);
  EXPECT_EQ(round, RoundId(7));
  EXPECT_EQ(real, 1.0 / 3);
  EXPECT_EQ(got_text, text);
  EXPECT_EQ(digest, sha256("d"));
  EXPECT_EQ(sum, checksum("c"));
  EXPECT_EQ(got_bytes, bytes);
  EXPECT_EQ(got_reals, reals);
  EXPECT_FALSE(rows.next());
}

TEST(SqliteStatement, NoValueIsNullAndNullIsNoValue) {
  const auto database = open_in_memory();
  database->exec("CREATE TABLE t (a, b, c)");
  Statement insert(*database, "INSERT INTO t VALUES (?, ?, ?)");
  insert.run(std::optional<Digest>(), std::nan(""), std::span<const std::byte>());
  insert.run(std::optional(sha256("x")), 2.0, std::span<const std::byte>());
  Statement rows(*database, "SELECT a, b, c IS NULL FROM t ORDER BY rowid");
  std::optional<Digest> digest = sha256("y");
  double real = 0;
  bool empty_is_null = true;
  ASSERT_TRUE(rows.next());
  rows.read(digest, real, empty_is_null);
  EXPECT_FALSE(digest);
  EXPECT_TRUE(std::isnan(real));
  EXPECT_FALSE(empty_is_null);
  ASSERT_TRUE(rows.next());
  rows.read(digest, real, empty_is_null);
  EXPECT_EQ(digest, sha256("x"));
  EXPECT_EQ(real, 2.0);
}

TEST(SqliteStatement, ADigestOfAnotherLengthIsDamage) {
  const auto database = open_in_memory();
  const std::string text = "SELECT x'" + sha256("d").hex() + "', NULL, NULL";
  Statement rows(*database, text.c_str());
  ASSERT_TRUE(rows.next());
  Digest digest = sha256("before");
  Checksum sum = checksum("before");
  Digest none = sha256("before");
  rows.read(digest, sum, none);
  EXPECT_EQ(digest, sha256("d"));
  EXPECT_TRUE(sum.is_zero());
  EXPECT_TRUE(none.is_zero());
  for (const char* wrong : {"SELECT x''", "SELECT x'0102'", "SELECT 7", "SELECT zeroblob(33)"}) {
    Statement row(*database, wrong);
    ASSERT_TRUE(row.next());
    try {
      row.read(digest);
      ADD_FAILURE() << wrong;
    } catch (const SQLite::Exception& caught) {
      EXPECT_TRUE(is_damage(caught)) << wrong;
    }
  }
}

TEST(SqliteStatement, StartsAgainWithOtherParameters) {
  const auto database = open_in_memory();
  Statement query(*database, "SELECT ? + ?");
  for (const std::uint32_t number : {1U, 2U}) {
    ASSERT_TRUE(query.start(number, 10).next());
    EXPECT_EQ(query.column<std::uint32_t>(0), number + 10);
  }
}

TEST(SqliteConnection, AReaderSeesWhatAWriterCommitted) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "odd?name#.sqlite";
  const auto writer = open_to_write(file);
  EXPECT_EQ(schema_version(*writer), 0);
  set_schema_version(*writer, 6);
  EXPECT_EQ(schema_version(*open_to_read(file)), 6);
  EXPECT_EQ(number_of(*writer, "PRAGMA foreign_keys"), 1);
}

TEST(SqliteGuard, AnExceptionIsAStorageErrorOfTheFile) {
  const auto database = open_in_memory();
  const auto done = guarded("run.sqlite", "reading rounds", [&] { database->exec("SELECT nothing"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::storage);
  EXPECT_EQ(done.error().location, "run.sqlite");
  EXPECT_TRUE(done.error().what.starts_with("reading rounds failed (")) << done.error().text();
  EXPECT_EQ(*guarded("run.sqlite", "counting", [] { return 3; }), 3);
}

TEST(SqliteGuard, AFileThatIsNotADatabaseIsDamaged) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "run.sqlite";
  std::ofstream(file) << std::string(5'000, 'x');
  try {
    (void)open_to_write(file);
    FAIL() << "it was opened";
  } catch (const SQLite::Exception& caught) {
    EXPECT_TRUE(is_damage(caught));
    EXPECT_EQ(error_of(file, "opening", caught).hint, "restore it from a copy");
  }
}

}  // namespace
}  // namespace hansa::sqlite
