// Kind "tokens" with bytes as tokens.
#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::open_kind;
using testing::read_inputs;
using testing::read_targets;

class TokensSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "tokens";
    config_.file = folder_ / "book.txt";
    config_.window = 3;
    config_.stride = 3;
  }
  std::vector<std::int64_t> inputs() {
    const auto source = open_kind(config_);
    return read_inputs<std::int64_t>(*source, all_of(*source));
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(TokensSource, TheTargetIsTheInputShiftedByOneToken) {
  testing::write_text(config_.file, "abcdefgh");
  const auto source = open_kind(config_);
  ASSERT_EQ(source->example_count(), 2U);
  EXPECT_EQ(text_of(source->shape().inputs), "`x`: int64 [3]");
  EXPECT_EQ(source->shape().targets[0], class_target(256, {3}));
  EXPECT_THAT(read_inputs<std::int64_t>(*source, {1, 0}), ElementsAre('d', 'e', 'f', 'a', 'b', 'c'));
  EXPECT_THAT(read_targets<std::int64_t>(*source, {1, 0}), ElementsAre('e', 'f', 'g', 'b', 'c', 'd'));
}

TEST_F(TokensSource, ALastWindowNeedsATokenAfterIt) {
  testing::write_text(config_.file, "abcdef");
  EXPECT_EQ(open_kind(config_)->example_count(), 1U);
  testing::write_text(config_.file, "abcdefg");
  EXPECT_EQ(open_kind(config_)->example_count(), 2U);
}

TEST_F(TokensSource, TheStrideIsTheDistanceBetweenExamples) {
  config_.stride = 1;
  testing::write_text(config_.file, "abcde");
  EXPECT_THAT(inputs(), ElementsAre('a', 'b', 'c', 'b', 'c', 'd'));
}

TEST_F(TokensSource, AByteOfTheFileIsATokenWhateverItIs) {
  testing::write_text(config_.file, "\xC3\xA9\r\n\x80\xFF!");
  EXPECT_THAT(inputs(), ElementsAre(0xC3, 0xA9, '\r', '\n', 0x80, 0xFF));
}

TEST_F(TokensSource, AByteOrderMarkIsNoToken) {
  testing::write_text(config_.file,
                      "\xEF\xBB\xBF"
                      "abcd");
  EXPECT_THAT(inputs(), ElementsAre('a', 'b', 'c'));
}

TEST_F(TokensSource, GzippedFilesReadTheSameAndMayHaveManyParts) {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i)
    text += std::to_string(i * 7919 % 10007) + (i % 50 == 0 ? "\n" : " ");
  testing::write_text(config_.file, text);
  const auto plain = inputs();
  ASSERT_EQ(plain.size(), (text.size() - 1) / 3 * 3);
  for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(plain[i], text[i]) << i;
  testing::write_bytes(config_.file, testing::gzipped({text.begin(), text.end()}));
  EXPECT_EQ(inputs(), plain);
}

TEST_F(TokensSource, ExamplesMaxTakesTheFirst) {
  config_.examples_max = 1;
  testing::write_text(config_.file, "abcdefgh");
  EXPECT_THAT(inputs(), ElementsAre('a', 'b', 'c'));
}

TEST_F(TokensSource, OneTensorMayBeReadWithoutTheOther) {
  testing::write_text(config_.file, "abcdefgh");
  const auto source = open_kind(config_);
  std::vector<std::int64_t> target(3);
  ASSERT_TRUE(source->read(std::vector<std::uint32_t>{1},
                           std::vector<TensorBytes>{{}, std::as_writable_bytes(std::span(target))}));
  EXPECT_THAT(target, ElementsAre('e', 'f', 'g'));
}

TEST_F(TokensSource, EveryErrorIsOneLineThatNamesTheFile) {
  EXPECT_THAT(testing::refusal_of(config_, folder_.path()),
              HasSubstr("book.txt: does not exist; set data.file"));
  testing::write_text(config_.file, "abc");
  EXPECT_THAT(testing::refusal_of(config_, folder_.path()),
              HasSubstr("book.txt: has 3 tokens, but an example takes 4; lower data.window"));
  EXPECT_EQ(testing::reason_of(config_).code, ReasonCode::too_few_examples);
  testing::write_text(config_.file, "PK\x03\x04 and more");
  EXPECT_THAT(testing::refusal_of(config_, folder_.path()), HasSubstr("book.txt: is a zip archive"));
}

#ifndef HANSA_HAS_TOKENS
TEST_F(TokensSource, ABuildWithoutSentencePieceNamesThePackage) {
  testing::write_text(config_.file, "abcdefgh");
  config_.tokenizer = folder_ / "tokenizer.model";
  EXPECT_THAT(testing::refusal_of(config_, folder_.path()), HasSubstr("install libsentencepiece-dev"));
}
#endif

}  // namespace
}  // namespace hansa::learning
