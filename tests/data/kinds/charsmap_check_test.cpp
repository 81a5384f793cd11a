#include "learning/data/kinds/tokens/charsmap_check.h"

#include <gtest/gtest.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/trained_tokenizer.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::uint32_t leaf = 0x8000'0000U;

std::string bytes_of(std::uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}
// A field of bytes in a protocol buffer.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (std::size_t size = bytes.size();; size >>= 7) {
    out += static_cast<char>((size & 0x7F) | (size > 0x7F ? 0x80 : 0));
    if (size <= 0x7F) break;
  }
  return out + bytes;
}
// A model with a trie of these units, filled up with units that lead nowhere.
std::string model_with(std::vector<std::uint32_t> units, const std::string& replacements,
                       std::size_t unit_count = 256) {
  units.resize(unit_count);
  std::string trie;
  for (const std::uint32_t unit : units) trie += bytes_of(unit);
  return field(3, field(2, bytes_of(static_cast<std::uint32_t>(trie.size())) + trie + replacements));
}
const std::string two_texts("a\0b\0", 4);

TEST(CharsmapCheck, TheTableOfATrainedModelIsValid) {
  const TemporaryFolder folder;
  testing::train_tokenizer(folder / "a.model");
  const auto bytes = testing::read_bytes(folder / "a.model");
  ASSERT_GT(bytes.size(), 100'000U) << "the model has the table of nmt_nfkc";
  EXPECT_TRUE(has_valid_charsmap({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

TEST(CharsmapCheck, AModelWithoutATableIsValid) { EXPECT_TRUE(has_valid_charsmap(field(1, "piece"))); }

TEST(CharsmapCheck, AnOffsetMustStayInTheTrie) {
  EXPECT_TRUE(has_valid_charsmap(model_with({255U << 10}, two_texts)));
  EXPECT_FALSE(has_valid_charsmap(model_with({256U << 10}, two_texts)));
  EXPECT_TRUE(has_valid_charsmap(model_with({256U << 10}, two_texts, 512)));
  EXPECT_FALSE(has_valid_charsmap(model_with({1U << 10 | 1U << 9}, two_texts))) << "256, written as 1 << 8";
}

TEST(CharsmapCheck, AReplacementMustBeThereWithItsEnd) {
  EXPECT_TRUE(has_valid_charsmap(model_with({leaf | 3}, two_texts)));
  EXPECT_FALSE(has_valid_charsmap(model_with({leaf | 4}, two_texts)));
  EXPECT_FALSE(has_valid_charsmap(model_with({leaf | 0}, "ab"))) << "no end";
  EXPECT_FALSE(has_valid_charsmap(model_with({leaf | 0}, "")));
}

TEST(CharsmapCheck, ATrieHasWholeBlocks) {
  EXPECT_FALSE(has_valid_charsmap(model_with({0}, two_texts, 255)));
  EXPECT_FALSE(has_valid_charsmap(field(3, field(2, bytes_of(1024) + "short"))));
  EXPECT_FALSE(has_valid_charsmap(field(3, field(2, "abc"))));
}

TEST(CharsmapCheck, ADamagedMessageIsNotValid) {
  EXPECT_FALSE(has_valid_charsmap("\x1A\x7F"));
  EXPECT_FALSE(has_valid_charsmap("\x1A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
  EXPECT_FALSE(has_valid_charsmap("\x07"));
}

}  // namespace
}  // namespace hansa::learning::kinds
