// Kind "tokens" with a SentencePiece model.
#include <gmock/gmock.h>
#include <sentencepiece_processor.h>

#include "common/files.h"
#include "common/random.h"
#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/kinds/trained_tokenizer.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using testing::open_kind;
using testing::read_inputs;
using testing::read_targets;

constexpr const char* text = "the pump runs\nand the valve of number 7 is closed\n";

class SentencePiece : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "tokens";
    config_.file = folder_ / "book.txt";
    config_.tokenizer = folder_ / "tokenizer.model";
    config_.window = 4;
    config_.stride = 1;
    testing::write_text(config_.file, text);
  }
  std::string refusal() { return testing::refusal_of(config_, folder_.path()); }

  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(SentencePiece, TokensAreThoseThatTheLibraryGivesLineByLine) {
  for (const char* type : {"unigram", "bpe"}) {
    testing::train_tokenizer(config_.tokenizer, std::string("--model_type=") + type);
    sentencepiece::SentencePieceProcessor library;
    ASSERT_TRUE(library.Load(config_.tokenizer.string()).ok());
    std::vector<int> expected;
    for (const char* line : {"the pump runs\n", "and the valve of number 7 is closed\n"})
      for (const int token : library.EncodeAsIds(line)) expected.push_back(token);
    ASSERT_GT(expected.size(), 10U);

    const auto source = open_kind(config_);
    EXPECT_EQ(source->shape().targets[0], class_target(library.GetPieceSize(), {4}));
    ASSERT_EQ(source->example_count(), expected.size() - 4);
    const auto inputs = read_inputs<std::int64_t>(*source, all_of(*source));
    const auto targets = read_targets<std::int64_t>(*source, all_of(*source));
    for (std::size_t example = 0; example < source->example_count(); ++example)
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(inputs[example * 4 + i], expected[example + i]) << type;
        EXPECT_EQ(targets[example * 4 + i], expected[example + i + 1]) << type;
      }
  }
}

TEST_F(SentencePiece, TheTokenizerIsPartOfTheSchema) {
  testing::train_tokenizer(config_.tokenizer, "--model_type=unigram");
  const DataDescription unigram = open_kind(config_)->description();
  EXPECT_EQ(unigram.preparation,
            "tokens: SentencePiece model " + digest_of_file(config_.tokenizer).value().text());
  testing::train_tokenizer(config_.tokenizer, "--model_type=bpe");
  EXPECT_NE(schema_digest(open_kind(config_)->description()), schema_digest(unigram));
  config_.tokenizer.clear();
  EXPECT_EQ(open_kind(config_)->description().preparation, "tokens: bytes");
}

TEST_F(SentencePiece, AVocabularyOfMoreThanAByteIsKeptWhole) {
  std::string symbols;
  for (int i = 0; i < 400; ++i) symbols += (i == 0 ? "" : ",") + ("<s" + std::to_string(i) + ">");
  testing::train_tokenizer(config_.tokenizer, "--user_defined_symbols=" + symbols, 460);
  testing::write_text(config_.file, "<s0><s399><s300><s301><s2>");
  config_.window = 3;
  const auto source = open_kind(config_);
  EXPECT_GT(source->shape().targets[0].class_count, 400);
  const auto tokens = read_inputs<std::int64_t>(*source, all_of(*source));
  EXPECT_THAT(tokens, ::testing::Contains(Ge(300)));
  EXPECT_THAT(tokens, Each(AllOf(Ge(0), Lt(source->shape().targets[0].class_count))));
}

TEST_F(SentencePiece, AFileThatIsNoModelIsRefused) {
  EXPECT_THAT(refusal(), HasSubstr("tokenizer.model: does not exist; set data.tokenizer"));
  for (const std::string& content : {std::string(), std::string("the pump"), std::string(200, '\0')}) {
    testing::write_text(config_.tokenizer, content);
    EXPECT_THAT(refusal(), HasSubstr("tokenizer.model: is no SentencePiece model, or a damaged one"))
        << content;
  }
  EXPECT_EQ(testing::reason_of(config_).code, ReasonCode::data_damaged);
}

// The file may come from others. Each damage gives an error or tokens, and never the end of the process.
TEST_F(SentencePiece, ADamagedModelIsRefusedOrGivesTokensOfItsVocabulary) {
  testing::train_tokenizer(config_.tokenizer);
  const auto model = testing::read_bytes(config_.tokenizer);
  Random random(7);
  int opened = 0;
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    auto damaged = model;
    if (i % 3 == 0) damaged.resize(random.below(model.size()));
    else
      for (std::uint64_t n = random.below(8) + 1; n > 0; --n)
        damaged[random.below(i % 3 == 1 ? 2'000 : damaged.size())] =
            static_cast<std::uint8_t>(random.below(256));
    testing::write_bytes(config_.tokenizer, damaged);
    const auto source = open_optional_kind(config_).value();
    if (!source) {
      ++refused;
      continue;
    }
    ++opened;
    EXPECT_THAT(read_inputs<std::int64_t>(**source, all_of(**source)),
                Each(AllOf(Ge(0), Lt((*source)->shape().targets[0].class_count))));
  }
  EXPECT_GT(opened, 10);
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace hansa::learning
