#include "learning/data/kinds/tokens/text_parts.h"

#include <vector>

#include <gmock/gmock.h>

namespace hansa::learning::kinds {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t most = TextParts::part_bytes_max;

// The parts of a text that arrives in pieces of `piece_bytes`.
std::vector<std::string> parts_of(const std::string& text, std::size_t piece_bytes) {
  TextParts parts;
  std::vector<std::string> out;
  const auto take = [&] {
    for (std::string_view part = parts.next(); !part.empty(); part = parts.next()) out.emplace_back(part);
  };
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    parts.add(std::string_view(text).substr(at, piece_bytes));
    take();
  }
  parts.end();
  take();
  return out;
}

TEST(TextParts, APartIsALineWithItsNewlineHoweverTheTextArrives) {
  for (const std::size_t bytes : {1, 2, 3, 100})
    EXPECT_THAT(parts_of("one two\n\nthree\nend", bytes), ElementsAre("one two\n", "\n", "three\n", "end"));
}

TEST(TextParts, ALongLineIsCutAfterItsLastSpace) {
  const std::string line = std::string(most - 3, 'a') + " bcd\n";
  for (const std::size_t bytes : {std::size_t{7}, most, 2 * most})
    EXPECT_THAT(parts_of(line, bytes), ElementsAre(std::string(most - 3, 'a') + " ", "bcd\n"));
}

TEST(TextParts, ALineOfTheLargestSizeIsOnePart) {
  EXPECT_THAT(parts_of(std::string(most, 'a'), 1000), ElementsAre(std::string(most, 'a')));
  EXPECT_THAT(parts_of(std::string(most + 1, 'a'), 1000), ElementsAre(std::string(most, 'a'), "a"));
}

TEST(TextParts, ALineWithoutASpaceIsCutBetweenCharacters) {
  std::string line(most - 1, 'a');
  line += "\xF0\x9F\x90\x8E!";  // of four bytes
  EXPECT_THAT(parts_of(line, 1000), ElementsAre(std::string(most - 1, 'a'), "\xF0\x9F\x90\x8E!"));
}

TEST(TextParts, BytesThatAreNoTextAreCutAsWell) {
  const auto parts = parts_of(std::string(2 * most + 5, '\x80'), 1000);
  EXPECT_THAT(parts,
              ElementsAre(std::string(most, '\x80'), std::string(most, '\x80'), std::string(5, '\x80')));
}

}  // namespace
}  // namespace hansa::learning::kinds
