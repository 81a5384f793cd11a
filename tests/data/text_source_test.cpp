#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TextSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "text";
    config_.file = folder_ / "book.txt";
    config_.window = 3;
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(TextSource, CharactersAreNumbersAndTheNextOneIsTheTarget) {
  testing::write_text(config_.file, "a ~\nb\xC3\n");
  const auto source = open_data_source(config_).value();
  EXPECT_EQ(source->example_count(), 4U);
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(3));
  EXPECT_EQ(source->shape().targets[0].class_count, 96);
  EXPECT_THAT(testing::read_inputs<std::int64_t>(*source, {0, 2}),
              ElementsAre('a' - 31, 1, 95, 95, 0, 'b' - 31));
  EXPECT_THAT(testing::read_targets<std::int64_t>(*source, {0, 2}), ElementsAre(0, 1))
      << "what is outside the alphabet is a space";
}

TEST_F(TextSource, TheSameTextGivesTheSameExamples) {
  const std::string text = "the pump\nruns; \xC3\xA9t\xC3\xA9\nends\n";
  const auto read = [&](const std::string& content) {
    testing::write_text(config_.file, content);
    const auto source = open_data_source(config_).value();
    return std::pair(testing::read_inputs<std::int64_t>(*source, testing::all_of(*source)),
                     testing::read_targets<std::int64_t>(*source, testing::all_of(*source)));
  };
  const auto with_ends = [&](const std::string& end) {
    std::string out;
    for (const char c : text) out += c == '\n' ? end : std::string(1, c);
    return out;
  };
  const auto expected = read(text);
  EXPECT_EQ(read(with_ends("\r\n")), expected);
  EXPECT_EQ(read(with_ends("\r")), expected);
  EXPECT_EQ(read("\xEF\xBB\xBF" + text), expected);
  std::string wide("\xFF\xFE");
  for (const char c : text) wide += std::string{c, '\0'};
  testing::write_bytes(config_.file, {wide.begin(), wide.end()});
  EXPECT_THAT(open_data_source(config_).error().text(), HasSubstr("is text in UTF-16"));
}

TEST_F(TextSource, TheStrideIsTheDistanceBetweenExamples) {
  config_.stride = 2;
  testing::write_text(config_.file, "abcdefg");
  const auto source = open_data_source(config_).value();
  EXPECT_EQ(source->example_count(), 2U);
  EXPECT_THAT(testing::read_targets<std::int64_t>(*source, {0, 1}), ElementsAre('d' - 31, 'f' - 31));
}

TEST_F(TextSource, ATextThatIsTooShortIsRefused) {
  testing::write_text(config_.file, "abc");
  const auto source = open_data_source(config_);
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().text(), HasSubstr("book.txt: has 3 characters, but an example takes 4; lower"));
}

}  // namespace
}  // namespace hansa::learning
