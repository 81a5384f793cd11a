#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

ParameterLayout layout_of(std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameters) {
  std::vector<ParameterEntry> entries;
  for (auto& [name, shape] : parameters) {
    ParameterEntry entry;
    entry.name = name;
    entry.shape = shape;
    entries.push_back(std::move(entry));
  }
  auto out = ParameterLayout::create(std::move(entries));
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

TEST(Spec, EveryTextIsReadAndWrittenBack) {
  for (const std::string& text : every_spec) EXPECT_EQ(text_of(spec_of(text)), text);
  EXPECT_EQ(spec_of(" topk( 0.05 ,q2 ) "), spec_of("topk(0.05, q2)"));
}

TEST(Spec, UnknownCodecsAreRefusedWithTheLocationAndTheKnownOnes) {
  for (const char* text :
       {"", "q", "q0", "q9", "q4 x", "f64", "topk", "topk(0.1)", "topk(0, q4)", "topk(1.5, q4)",
        "topk(nan, q4)", "randk(0.1, f32)", "lowrank(0)", "lowrank(2000)", "q4-rotate"}) {
    const auto spec = parse_spec(text, "federation.toml:7: compression.codec");
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code, ErrorCode::usage);
    EXPECT_EQ(spec.error().location, "federation.toml:7: compression.codec");
    EXPECT_NE(spec.error().hint.find("topk("), std::string::npos);
  }
}

TEST(Plan, TheFirstMatchingRuleAppliesAndNeighboursBecomeOneSegment) {
  const auto layout = layout_of({{"conv.weight", {8, 1, 3, 3}},
                                 {"conv.bias", {8}},
                                 {"norm.weight", {8}},
                                 {"norm.bias", {8}},
                                 {"fc.weight", {10, 200}},
                                 {"fc.bias", {10}}});
  const std::vector<Rule> rules{{"*.bias", spec_of("f32")}, {"norm.*", spec_of("f32")}, {"*", spec_of("q4")}};
  const auto segments = segments_of(layout, rules, spec_of("q8"));
  ASSERT_TRUE(segments.has_value());
  const std::vector<Segment> expected{
      {72, spec_of("q4"), 0}, {24, spec_of("f32"), 0}, {2000, spec_of("q4"), 0}, {10, spec_of("f32"), 0}};
  EXPECT_EQ(*segments, expected);
  EXPECT_EQ(Plan::create(*segments)->text(), "q4, f32 for 34 of 2106 values");
}

TEST(Plan, VectorsAreHalvesUnlessARuleNamesThemOrThereAreTooMany) {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> deep;
  for (int i = 0; i < 200; ++i) {
    deep.push_back({std::to_string(i) + ".weight", {20, 30}});
    deep.push_back({std::to_string(i) + ".bias", {20}});
  }
  const auto segments = segments_of(layout_of(deep), {}, spec_of("q1-rotated"));
  ASSERT_TRUE(segments.has_value());
  ASSERT_EQ(segments->size(), 400U);
  EXPECT_EQ((*segments)[0], (Segment{600, spec_of("q1-rotated"), 0}));
  EXPECT_EQ((*segments)[1], (Segment{20, spec_of("f16"), 0}));
  const std::vector<Rule> all{{"*", spec_of("q4")}};
  EXPECT_EQ(*segments_of(layout_of(deep), all, spec_of("q1-rotated")),
            (std::vector<Segment>{{124'000, spec_of("q4"), 0}}));
  EXPECT_EQ(*segments_of(layout_of(deep), {}, spec_of("f32")),
            (std::vector<Segment>{{124'000, spec_of("f32"), 0}}));
  auto deeper = deep;
  for (int i = 200; i < 400; ++i) {
    deeper.push_back({std::to_string(i) + ".weight", {20, 30}});
    deeper.push_back({std::to_string(i) + ".bias", {20}});
  }
  EXPECT_EQ(*segments_of(layout_of(deeper), {}, spec_of("q4")),
            (std::vector<Segment>{{248'000, spec_of("q4"), 0}}));
}

// A variance of 1e-8 is below f16, and one of 1e8 above.
TEST(Plan, BuffersAreExactUnlessARuleNamesThem) {
  std::vector<ParameterEntry> entries(4);
  entries[0].name = "conv.weight", entries[0].shape = {8, 1, 3, 3};
  entries[1].name = "norm.weight", entries[1].shape = {8};
  entries[2].name = "norm.running_mean", entries[2].shape = {8}, entries[2].kind = ParameterKind::buffer;
  entries[3].name = "norm.running_var", entries[3].shape = {8}, entries[3].kind = ParameterKind::buffer;
  const ParameterLayout layout = ParameterLayout::create(std::move(entries)).value();
  EXPECT_EQ(*segments_of(layout, {}, spec_of("q1-rotated")),
            (std::vector<Segment>{
                {72, spec_of("q1-rotated"), 0}, {8, spec_of("f16"), 0}, {16, spec_of("f32"), 0}}));
  const std::vector<Rule> rule{{"*running_mean", spec_of("q4")}};
  EXPECT_EQ(segments_of(layout, rule, spec_of("q1-rotated"))->at(2), (Segment{8, spec_of("q4"), 0}));
}

TEST(Plan, LowRankIsForMatricesThatBecomeSmaller) {
  const auto layout = layout_of({{"conv.weight", {32, 16, 3, 3}},
                                 {"a.weight", {100, 50}},
                                 {"b.weight", {100, 50}},
                                 {"b.bias", {100}},
                                 {"tiny", {2, 2}}});
  const auto segments = segments_of(layout, {}, spec_of("lowrank(2)"));
  ASSERT_TRUE(segments.has_value());
  const std::vector<Segment> expected{{4608, spec_of("lowrank(2)"), 32},
                                      {5000, spec_of("lowrank(2)"), 100},
                                      {5000, spec_of("lowrank(2)"), 100},
                                      {104, spec_of("f16"), 0}};
  EXPECT_EQ(*segments, expected);
}

TEST(Plan, InvalidPlansAreRefused) {
  EXPECT_FALSE(Plan::create({}));
  EXPECT_FALSE(Plan::create({Segment{0, spec_of("q4"), 0}}));
  EXPECT_FALSE(Plan::create({Segment{std::uint64_t{1} << 39, spec_of("q4"), 0}}));
  EXPECT_FALSE(Plan::create({Segment{10, spec_of("lowrank(2)"), 3}}));
  EXPECT_FALSE(Plan::create({Segment{10, spec_of("lowrank(2)"), 0}}));
  EXPECT_FALSE(Plan::create({Segment{10, spec_of("q4"), 2}}));
  EXPECT_FALSE(Plan::create({Segment{10, Spec{Kind::quantised, 9, 0, 0}, 0}}));
  EXPECT_FALSE(Plan::create(std::vector<Segment>(segments_max + 1, Segment{1, Spec{}, 0})));
}

TEST(Plan, BytesPerValueAreThoseOfTheTable) {
  const auto bytes_a_value = [](const char* text) {
    const Plan plan = plan_of(text, 1'000'000);
    return static_cast<double>(encode(plan, update_of(plan.values(), 1), {1, 2, 3}).bytes.size()) /
           static_cast<double>(plan.values());
  };
  EXPECT_NEAR(bytes_a_value("f32"), 4, 0.001);
  EXPECT_NEAR(bytes_a_value("bf16"), 2, 0.001);
  EXPECT_NEAR(bytes_a_value("q4"), 0.5, 0.009);
  EXPECT_NEAR(bytes_a_value("q1-rotated"), 0.125, 0.002);
  EXPECT_NEAR(bytes_a_value("sign"), 0.125, 0.002);
  EXPECT_NEAR(bytes_a_value("topk(0.01, q4)"), 0.01 * (4 + std::log2(100) + 1.5) / 8, 0.001);
  EXPECT_NEAR(bytes_a_value("randk(0.1, q8)"), 0.1, 0.002);
}

}  // namespace
}  // namespace hansa::codecs
