#include "tools/text_table.h"

#include <gtest/gtest.h>

namespace hansa::tools {
namespace {

TEST(TextTable, ColumnsAreAlignedAndLinesHaveNoTrailingSpace) {
  TextTable table({{"name", Align::left}, {"count"}, {"why", Align::left}});
  table.add_row({"a", "1", ""});
  table.add_row({"long-name", "1000", "late"});
  EXPECT_EQ(table.text(),
            "name       count  why\n"
            "a              1\n"
            "long-name   1000  late\n");
}

TEST(BytesText, RoundsToAReadableUnit) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1'000), "1.0 kB");
  EXPECT_EQ(bytes_text(1'495'000), "1.5 MB");
  EXPECT_EQ(bytes_text(999'999), "1.0 MB");
  EXPECT_EQ(bytes_text(~0ULL), "18446744.1 TB");
}

}  // namespace
}  // namespace hansa::tools
