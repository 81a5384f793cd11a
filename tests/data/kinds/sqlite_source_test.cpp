// Kind "sqlite": what it reads, what it refuses to do, and its errors.
#include <thread>

#include <gmock/gmock.h>
#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::open_kind;
using testing::read_inputs;
using testing::read_targets;

class SqliteSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "sqlite";
    config_.file = folder_ / "a.db";
    config_.label = "ill";
    config_.query = "SELECT * FROM visits ORDER BY rowid";
  }
  // With the rows "(1, 2, 0), ...".
  void write(const std::string& rows) {
    execute("DROP TABLE IF EXISTS visits; CREATE TABLE visits (age, bmi, ill)");
    execute("INSERT INTO visits VALUES " + rows);
  }
  void execute(const std::string& statement) {
    SQLite::Database database(config_.file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5'000);
    database.exec(statement);
  }
  std::string refusal() { return testing::refusal_of(config_, folder_.path()); }
  std::vector<float> inputs() {
    const auto source = open_kind(config_);
    return read_inputs(*source, all_of(*source));
  }
  std::vector<std::int64_t> labels() {
    const auto source = open_kind(config_);
    return read_targets<std::int64_t>(*source, all_of(*source));
  }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(SqliteSource, InputsAreAllColumnsExceptTheLabelInTheQuerysOrder) {
  write("(30, 22.5, 0), (-4, 1e3, 2)");
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs), "`x`: float32 [2]");
  EXPECT_EQ(source->shape().targets[0], class_target(3));
  EXPECT_THAT(read_inputs(*source, all_of(*source)), ElementsAre(30, 22.5F, -4, 1000));
  EXPECT_THAT(labels(), ElementsAre(0, 2));
  const DataDescription data = source->description();
  EXPECT_THAT(data.columns, ElementsAre("age", "bmi"));
  EXPECT_EQ(data.label, "ill");
  EXPECT_THAT(data.ranges, ElementsAre(ValueRange{-4, 30}, ValueRange{22.5, 1000}));
}

TEST_F(SqliteSource, TheQueryChoosesRowsAndComputesColumns) {
  write("(30, 20, 0), (40, 30, 1), (50, 40, 1)");
  config_.query =
      "WITH old AS (SELECT * FROM visits WHERE age > 30) "
      "SELECT bmi / 10.0 AS b, ill, age - 1 AS a FROM old ORDER BY age DESC; -- the old ones";
  config_.columns = {"a", "b"};
  EXPECT_THAT(inputs(), ElementsAre(49, 4, 39, 3));
}

TEST_F(SqliteSource, NumbersMayBeKeptAsText) {
  write("('30', ' -2.5 ', '1')");
  EXPECT_THAT(inputs(), ElementsAre(30, -2.5F));
  EXPECT_THAT(labels(), ElementsAre(1));
}

TEST_F(SqliteSource, LabelsAreClassesOrRealNumbers) {
  write("(1, 1, 'yes'), (1, 1, 'no')");
  config_.classes = {"no", "yes", "unsure"};
  EXPECT_THAT(labels(), ElementsAre(1, 0));
  EXPECT_EQ(open_kind(config_)->shape().targets[0].class_count, 3);
  write("(1, 1, -1), (1, 1, 1)");
  config_.classes = {"-1", "1"};
  EXPECT_THAT(labels(), ElementsAre(0, 1));
  config_.classes = {};
  write("(1, 1, 2.0)");
  EXPECT_THAT(labels(), ElementsAre(2));
  config_.target = TargetKind::real;
  write("(1, 1, 0.123456789)");
  const auto source = open_kind(config_);
  EXPECT_EQ(source->shape().targets[0], real_target());
  EXPECT_THAT(read_targets<float>(*source, {0}), ElementsAre(0.123456789F));
}

TEST_F(SqliteSource, ExamplesMaxTakesTheFirst) {
  write("(1, 2, 0), (3, 4, 0), (NULL, 4, 0)");
  config_.examples_max = 2;
  EXPECT_THAT(inputs(), ElementsAre(1, 2, 3, 4));
}

TEST_F(SqliteSource, EveryErrorIsOneLineThatNamesTheRow) {
  struct Case {
    const char* rows;
    const char* error;
    ReasonCode reason;
  };
  for (const auto& [rows, error, reason] : {
           Case{"(1, 2, 0), (NULL, 2, 0)",
                "a.db: row 2: column \"age\": is NULL; fill it in, or select only other rows: WHERE \"age\" "
                "IS NOT NULL",
                ReasonCode::value_missing},
           Case{"(1, 2, NULL)", "a.db: row 1: column \"ill\": is NULL", ReasonCode::value_missing},
           Case{"(1, 'low', 0)", "a.db: row 1: column \"bmi\": is \"low\", which is not a number",
                ReasonCode::value_invalid},
           Case{"(1, '', 0)", "column \"bmi\": is \"\", which is not a number", ReasonCode::value_invalid},
           Case{"(1, x'00', 0)", "column \"bmi\": is a BLOB, which no input takes",
                ReasonCode::value_invalid},
           Case{"(1, 1e39, 0)", "column \"bmi\": is 1.0e+39, which is not a finite float32",
                ReasonCode::value_invalid},
           Case{"(1, 9e999, 0)", "column \"bmi\": is Inf, which is not a finite float32",
                ReasonCode::value_invalid},
           Case{"(1, 2, 'B')",
                "a.db: row 1: column \"ill\": is \"B\", which is not a number; list the labels",
                ReasonCode::class_unknown},
           Case{"(1, 2, 0.5)", "to predict a number, set data.target = \"real\"", ReasonCode::class_unknown},
           Case{"(1, 2, x'00')", "column \"ill\": is a BLOB", ReasonCode::value_invalid},
       }) {
    write(rows);
    EXPECT_THAT(refusal(), HasSubstr(error)) << rows;
    EXPECT_EQ(testing::reason_of(config_).code, reason) << rows;
  }
  write("(1, 2, 0), (1, NULL, 0)");
  EXPECT_EQ(testing::reason_of(config_).number(Quantity::line), 2U);
  EXPECT_EQ(testing::reason_of(config_).number(Quantity::column), 2U);
  config_.query = "SELECT * FROM visits WHERE age > 5";
  EXPECT_THAT(refusal(), HasSubstr("a.db: has no row for data.query"));
}

TEST_F(SqliteSource, ColumnsAreCheckedAgainstTheQuery) {
  write("(1, 2, 0)");
  config_.columns = {"agee"};
  EXPECT_THAT(
      refusal(),
      HasSubstr("a.db: data.query: has no column \"agee\", which data.columns names; did you mean \"age\"?"));
  config_.columns = {};
  config_.label = "outcome";
  EXPECT_THAT(
      refusal(),
      HasSubstr(
          "has no column \"outcome\", which data.label names; its columns are \"age\", \"bmi\", \"ill\""));
  config_.query = "SELECT age, age, ill FROM visits";
  EXPECT_THAT(refusal(), HasSubstr("has two columns \"age\"; give each column a different name"));
}

TEST_F(SqliteSource, OnlyOneSelectIsExecuted) {
  write("(1, 2, 0)");
  execute("CREATE TABLE other (a)");
  const auto before = testing::read_bytes(config_.file);
  const std::string attached = (folder_ / "b.db").string();
  for (const std::string& query :
       {std::string("INSERT INTO visits VALUES (1, 2, 3) RETURNING *"), std::string("DELETE FROM visits"),
        std::string("DROP TABLE visits"), "ATTACH '" + attached + "' AS b", "VACUUM INTO '" + attached + "'",
        std::string("PRAGMA user_version = 3"), std::string("PRAGMA table_info(visits)"),
        std::string("BEGIN"), std::string("SELECT load_extension('x'), 0 AS ill"),
        std::string("SELECT * FROM pragma_database_list")}) {
    config_.query = query;
    EXPECT_THAT(refusal(), AllOf(HasSubstr("data.query: "),
                                 AnyOf(HasSubstr("not authorized"), HasSubstr("is no SELECT"))))
        << query;
  }
  for (const char* query : {"", "-- nothing", "EXPLAIN SELECT * FROM visits"}) {
    config_.query = query;
    EXPECT_THAT(refusal(), HasSubstr("data.query: is no SELECT; write one SELECT")) << query;
  }
  for (const char* query : {"SELECT * FROM visits; DROP TABLE visits", "SELECT * FROM visits; SELECT 1",
                            "SELECT 1 AS ill; nonsense"}) {
    config_.query = query;
    EXPECT_THAT(refusal(), HasSubstr("data.query: has more than one statement")) << query;
  }
  for (const char* query : {"SELEC * FROM visits", "SELECT * FROM visit"}) {
    config_.query = query;
    EXPECT_THAT(refusal(), HasSubstr("data.query: is refused by SQLite (")) << query;
  }
  EXPECT_EQ(testing::read_bytes(config_.file), before);
  EXPECT_FALSE(std::filesystem::exists(attached));
}

TEST_F(SqliteSource, AFileThatIsNoDatabaseIsRefused) {
  EXPECT_THAT(refusal(), HasSubstr("a.db: does not exist; set data.file"));
  testing::write_text(config_.file, std::string(4096, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("a.db: cannot be read (file is not a database)"));
  EXPECT_EQ(testing::reason_of(config_).code, ReasonCode::data_damaged);
}

TEST_F(SqliteSource, ADamagedDatabaseIsAnError) {
  write("(1, 2, 0)");
  for (int i = 0; i < 12; ++i) execute("INSERT INTO visits SELECT age + 1, bmi, ill FROM visits");
  auto bytes = testing::read_bytes(config_.file);
  ASSERT_GT(bytes.size(), 16'384U);
  std::fill(bytes.begin() + 8'192, bytes.begin() + 16'384, std::uint8_t{0xA5});
  testing::write_bytes(config_.file, bytes);
  EXPECT_THAT(refusal(), HasSubstr("cannot be read (database disk image is malformed)"));
  EXPECT_EQ(testing::reason_of(config_).code, ReasonCode::data_damaged);
}

TEST_F(SqliteSource, AValueOfMoreThan16MiBIsRefused) {
  write("(1, 2, 0)");
  config_.query = "SELECT age, ill, zeroblob(17 * 1024 * 1024) AS b FROM visits";
  EXPECT_THAT(refusal(), HasSubstr("a.db: row 1: cannot be read (string or blob too big)"));
}

// The writer changes all rows in each transaction.
TEST_F(SqliteSource, RowsAreThoseOfOneMomentWhileAnotherProgramWrites) {
  write("(0, 0, 0)");
  execute("PRAGMA journal_mode = WAL");
  for (int i = 0; i < 10; ++i) execute("INSERT INTO visits SELECT * FROM visits");
  std::jthread writer([&](const std::stop_token& stop) {
    SQLite::Database database(config_.file.string(), SQLite::OPEN_READWRITE, 5'000);
    while (!stop.stop_requested()) database.exec("UPDATE visits SET age = age + 1, bmi = bmi + 1");
  });
  float last = 0;
  for (int i = 0; i < 500 && last < 20; ++i) {
    const auto values = inputs();
    ASSERT_EQ(values.size(), 2048U);
    ASSERT_THAT(values, Each(values[0]));
    last = values[0];
  }
  EXPECT_GT(last, 0) << "nothing was written meanwhile";
}

}  // namespace
}  // namespace hansa::learning
