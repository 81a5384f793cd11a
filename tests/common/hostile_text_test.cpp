#include <gtest/gtest.h>

#include "common/text.h"

namespace hansa {
namespace {

TEST(AdversaryText, EscapeSequencesAndNewLinesAreShownAndNotObeyed) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\r\td\x7f"), "a\\x1b[2Jb\\x0ac\\x0d\\x09d\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m")
      << "a C1 control begins an escape sequence too";
}

TEST(AdversaryText, TextThatRunsBackwardsOrBreaksLinesIsEscaped) {
  EXPECT_EQ(printable("user\xe2\x80\xaegnp"), "user\\u202egnp");
  EXPECT_EQ(printable("a\xe2\x80\xa8"
                      "b"),
            "a\\u2028b");
  EXPECT_EQ(printable("a\xe2\x80\x8b"
                      "b\xef\xbb\xbf"),
            "a\\u200bb\\ufeff");
}

TEST(AdversaryText, BytesThatAreNotUtf8AreEscaped) {
  for (const std::string_view bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
    const std::string shown = printable(bad);
    EXPECT_TRUE(is_utf8(shown)) << shown;
    EXPECT_EQ(shown.rfind("\\x", 0), 0U) << shown;
  }
}

TEST(HostileText, OrdinaryTextStays) {
  for (const std::string_view text : {"", "loss 0.5", "Größe: 3 µm", "日本語", "🙂", "C:\\x"}) {
    EXPECT_TRUE(is_utf8(text));
    EXPECT_EQ(printable(text), text);
  }
}

TEST(HostileText, APrefixEndsWithAWholeCharacter) {
  EXPECT_EQ(utf8_prefix("aé", 2), 1U);
  EXPECT_EQ(utf8_prefix("aé", 3), 3U);
  EXPECT_EQ(utf8_prefix("🙂", 3), 0U);
}

}  // namespace
}  // namespace hansa
