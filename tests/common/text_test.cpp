#include "common/text.h"

#include <gtest/gtest.h>

namespace hansa {
namespace {

TEST(Text, ValidUtf8IsRecognised) {
  for (const char* valid : {"", "abc", "Größe", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\x7f"})
    EXPECT_TRUE(is_utf8(valid)) << valid;
  // A continuation byte alone, a cut character, overlong forms, a surrogate, beyond U+10FFFF, bytes that never occur.
  for (const char* invalid :
       {"\x80", "a\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1"})
    EXPECT_FALSE(is_utf8(invalid));
}

TEST(Text, APrefixNeverCutsACharacter) {
  const std::string euros = "\xe2\x82\xac\xe2\x82\xac";
  EXPECT_EQ(utf8_prefix(euros, 6), 6U);
  EXPECT_EQ(utf8_prefix(euros, 5), 3U);
  EXPECT_EQ(utf8_prefix(euros, 2), 0U);
  EXPECT_EQ(utf8_prefix("ab\xff"
                        "c",
                        9),
            2U);
}

TEST(Text, APrintableTextIsOneLineThatControlsNoTerminal) {
  EXPECT_EQ(printable("plain, Größe \xe2\x82\xac"), "plain, Größe \xe2\x82\xac");
  EXPECT_EQ(printable("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(printable("a\nb\r\tc\x7f"), "a\\x0ab\\x0d\\x09c\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\x9b2J")
      << "the control sequence introducer of C1";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "abc"),
            "\\u202eabc")
      << "right to left override";
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
}

}  // namespace
}  // namespace hansa
