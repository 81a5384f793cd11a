#include "learning/data/internal/csv_reader.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>

#include "common/random.h"

namespace hansa::learning::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Row = std::vector<std::string>;
using LastLine = CsvReader::LastLine;

// Returns the text in pieces of at most `step` bytes.
CsvReader::ReadSome pieces_of(std::string_view text, std::size_t step) {
  return [text, step](std::span<std::uint8_t> out) mutable -> Result<std::size_t> {
    const std::size_t n = std::min({text.size(), step, out.size()});
    std::memcpy(out.data(), text.data(), n);
    text.remove_prefix(n);
    return n;
  };
}

struct Reading {
  std::vector<Row> rows;
  std::vector<std::uint64_t> lines;
  std::vector<CsvPosition> positions;  // the position after each row
  std::string error;
};

Reading read(std::string_view text, std::size_t step = 1'000, LastLine last_line = LastLine::whole,
             CsvPosition start = {}, char delimiter = ',') {
  CsvReader reader(pieces_of(text.substr(start.offset), step), "a.csv", delimiter, last_line, start);
  Reading out;
  CsvRecord record;
  for (;;) {
    const auto more = reader.next(record);
    if (!more) out.error = more.error().text();
    if (!more || !*more) return out;
    out.rows.emplace_back(record.fields.begin(), record.fields.end());
    out.lines.push_back(record.line);
    out.positions.push_back(reader.position());
  }
}

TEST(CsvReader, FieldsQuotesAndLineEnds) {
  const Reading reading = read("a,b\r\n1,\"x,y\"\n\n\"two\nlines\",\"say \"\"hi\"\"\"\r\n,\nlast,row");
  EXPECT_EQ(reading.error, "");
  EXPECT_THAT(reading.rows, ElementsAre(Row{"a", "b"}, Row{"1", "x,y"}, Row{"two\nlines", "say \"hi\""},
                                        Row{"", ""}, Row{"last", "row"}));
  EXPECT_THAT(reading.lines, ElementsAre(1, 2, 4, 6, 7));
}

TEST(CsvReader, AByteOrderMarkIsSkippedAndCountedInOffsets) {
  const std::string text = "\xEF\xBB\xBFid\n7\n";
  for (const std::size_t step : {1, 2, 100}) {
    const Reading reading = read(text, step);
    EXPECT_THAT(reading.rows, ElementsAre(Row{"id"}, Row{"7"}));
    EXPECT_EQ(reading.positions.back().offset, text.size());
  }
}

TEST(CsvReader, AnEmptyQuotedFieldIsARecord) { EXPECT_THAT(read("\"\"\n").rows, ElementsAre(Row{""})); }

TEST(CsvReader, OtherDelimiters) {
  EXPECT_THAT(read("a;b,c\n", 9, LastLine::whole, {}, ';').rows, ElementsAre(Row{"a", "b,c"}));
  EXPECT_THAT(read("a\tb\n", 9, LastLine::whole, {}, '\t').rows, ElementsAre(Row{"a", "b"}));
}

TEST(CsvReader, ErrorsNameTheLine) {
  const std::string long_field(CsvReader::record_bytes_max + 1, 'x');
  struct Case {
    std::string text;
    std::string error;
  };
  for (const auto& [text, error] :
       {Case{"a\n1\n\"open\nand on\n", "a.csv:3: opens a quote that is never closed"},
        Case{"a\n\"x\" y\n", "a.csv:2: has text after a closing quote"},
        Case{std::string("a\nb\0c\n", 6), "a.csv:2: holds a NUL byte"},
        Case{"a\n" + long_field + "\n", "a.csv:2: starts a record of more than 1 MiB"},
        Case{std::string(CsvReader::fields_max + 1, ',') + "\n", "a.csv:1: has more than 65,536 fields"}})
    EXPECT_THAT(read(text).error, HasSubstr(error));
}

TEST(CsvReader, AnUnfinishedLastLineIsNotYetARecord) {
  for (const std::string text : {"a\n1\n2", "a\n1\n\"2\n3", "a\n1\n\"2\""}) {
    const Reading torn = read(text, 100, LastLine::torn);
    EXPECT_EQ(torn.error, "");
    EXPECT_THAT(torn.rows, ElementsAre(Row{"a"}, Row{"1"})) << text;
    EXPECT_EQ(torn.positions.back().offset, 4U);
  }
}

// An independent writer, so that the reader is tested against the format.
std::string written(const std::vector<Row>& rows, Random& random, std::vector<std::size_t>& ends) {
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      const bool must =
          row[i].find_first_of(",\"\r\n") != std::string::npos || (row.size() == 1 && row[i].empty());
      if (!must && random.chance(0.7)) {
        out += row[i];
        continue;
      }
      out += '"';
      for (const char c : row[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
      out += '"';
    }
    out += random.chance(0.5) ? "\r\n" : "\n";
    ends.push_back(out.size());
    if (random.chance(0.1)) out += '\n';
  }
  return out;
}

TEST(CsvReader, RandomTablesAreReadBackForAnySplitOfTheBytesAndFromEveryRecord) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    std::vector<Row> rows(1 + random.below(8));
    for (Row& row : rows) {
      row.resize(1 + random.below(5));
      for (std::string& field : row)
        for (std::uint64_t i = random.below(6); i > 0; --i) field += "ab,\"\r\n x"[random.below(8)];
    }
    std::vector<std::size_t> ends;
    const std::string text = written(rows, random, ends);
    const Reading whole = read(text);
    ASSERT_EQ(whole.error, "") << "seed " << seed;
    ASSERT_EQ(whole.rows, rows) << "seed " << seed;
    ASSERT_EQ(read(text, 1).rows, rows) << "seed " << seed;
    ASSERT_EQ(read(text, 1 + random.below(7), LastLine::torn).rows, rows) << "seed " << seed;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(whole.positions[i].offset, ends[i]) << "seed " << seed;
      const Reading rest = read(text, 100, LastLine::whole, whole.positions[i]);
      ASSERT_EQ(rest.rows, std::vector<Row>(rows.begin() + static_cast<std::ptrdiff_t>(i) + 1, rows.end()));
      if (!rest.lines.empty()) {
        ASSERT_EQ(rest.lines.front(), whole.lines[i + 1]);
      }
    }
  }
}

TEST(CsvReader, HostileBytesGiveAnErrorOrRowsNoLargerThanTheInput) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    Random random(seed);
    std::string text;
    for (std::uint64_t i = random.below(60); i > 0; --i)
      text += "\"\"\",\n\r\0ab\xEF\xBB\xBF"[random.below(13)];
    const Reading whole = read(text);
    const Reading bytewise = read(text, 1);
    ASSERT_EQ(whole.rows, bytewise.rows) << "seed " << seed;
    ASSERT_EQ(whole.error, bytewise.error) << "seed " << seed;
    if (!whole.positions.empty()) {
      ASSERT_LE(whole.positions.back().offset, text.size());
    }
  }
}

}  // namespace
}  // namespace hansa::learning::internal
