#include "common/parameter_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace hansa {
namespace {

using ::testing::HasSubstr;

std::vector<ParameterEntry> small_model() {
  return {{"conv.weight", {16, 1, 5, 5}, ParameterKind::trainable, 0, 0},
          {"conv.bias", {16}, ParameterKind::trainable, 0, 0},
          {"norm.running_mean", {16}, ParameterKind::buffer, 0, 0},
          {"temperature", {}, ParameterKind::trainable, 0, 0}};
}

TEST(ParameterLayout, OffsetsAndCountsComeFromTheShapes) {
  const auto layout = ParameterLayout::create(small_model()).value();
  EXPECT_EQ(layout.element_count(), 400U + 16U + 16U + 1U);
  EXPECT_EQ(layout.entries()[1].offset, 400U);
  EXPECT_EQ(layout.entries()[3].offset, 432U);
  EXPECT_EQ(layout.entries()[3].count, 1U);
}

TEST(ParameterLayout, ItsTextIsReadBackAsTheSameLayout) {
  const auto layout = ParameterLayout::create(small_model()).value();
  EXPECT_EQ(layout.text(),
            "trainable conv.weight 16 1 5 5\ntrainable conv.bias 16\nbuffer norm.running_mean 16\ntrainable "
            "temperature\n");
  const auto back = ParameterLayout::parse(layout.text(), "layout.txt").value();
  EXPECT_EQ(back.text(), layout.text());
  EXPECT_EQ(back.digest(), layout.digest());
  // As docs/protocol.md says.
  EXPECT_EQ(layout.digest().hex(), "b6391d11c92eb7b9a3e7b4e87dcf3979ee375bb8b6d5c8311cdd84d76a703cc5");
  EXPECT_EQ(back.element_count(), layout.element_count());
}

TEST(ParameterLayout, OrderKindAndShapeChangeTheDigest) {
  const auto digest = ParameterLayout::create(small_model()).value().digest();
  auto order = small_model();
  std::swap(order[0], order[1]);
  EXPECT_NE(ParameterLayout::create(order).value().digest(), digest);
  auto kind = small_model();
  kind[1].kind = ParameterKind::buffer;
  EXPECT_NE(ParameterLayout::create(kind).value().digest(), digest);
  auto shape = small_model();
  shape[0].shape = {16, 5, 1, 5};
  EXPECT_NE(ParameterLayout::create(shape).value().digest(), digest);
}

TEST(ParameterLayout, AnEmptyDimensionHasNoElements) {
  const auto layout = ParameterLayout::parse("trainable a 3 0 4\ntrainable b 2\n", "").value();
  EXPECT_EQ(layout.entries()[0].count, 0U);
  EXPECT_EQ(layout.element_count(), 2U);
}

struct Hostile {
  const char* name;
  std::string text;
  const char* complaint;
};
class HostileLayout : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileLayout, IsRefused) {
  const auto layout = ParameterLayout::parse(GetParam().text, "peer");
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code, ErrorCode::model);
  EXPECT_THAT(layout.error().text(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, HostileLayout,
    ::testing::Values(Hostile{"UnknownKind", "trainable a 1\nfrozen b 2\n", "peer:2"},
                      Hostile{"EmptyLine", "\n", "peer:1"}, Hostile{"EmptyName", "trainable  3\n", "empty"},
                      Hostile{"DoubledName", "trainable a 1\nbuffer a 2\n", "twice"},
                      Hostile{"Negative", "trainable a -3\n", "negative"},
                      Hostile{"NotANumber", "trainable a 3x\n", "not a number"},
                      Hostile{"PastInt64", "trainable a 99999999999999999999\n", "not a number"},
                      Hostile{"TooManyElements", "trainable a 65536 65537\n", "2^32"},
                      Hostile{"ProductPast64Bits", "trainable a 4294967296 4294967296 4294967296\n", "2^32"},
                      Hostile{"SumTooLarge", "trainable a 4294967296\ntrainable b 1\n", "2^32"},
                      Hostile{"TabInName", "trainable a\tb 3\n", "white space"}),
    [](const auto& test) { return test.param.name; });

TEST(ParameterLayout, TooManyEntriesAreRefusedWhileReading) {
  std::string text;
  for (std::size_t i = 0; i <= ParameterLayout::entries_max; ++i)
    text += "trainable p" + std::to_string(i) + " 0\n";
  EXPECT_FALSE(ParameterLayout::parse(text, "peer"));
}

}  // namespace
}  // namespace hansa
