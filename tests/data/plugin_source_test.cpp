#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DataConfig with(const char* plugin) {
  DataConfig config;
  config.kind = "ramp";
  config.plugin = plugin;
  return config;
}

std::string refusal(const DataConfig& config) {
  const auto source = open_data_source(config);
  return source ? "was opened" : source.error().text();
}

TEST(PluginSource, ExamplesComeFromTheLibrary) {
  const auto source = open_data_source(with(PLUGIN_GOOD)).value();
  EXPECT_EQ(source->example_count(), 10U);
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(2));
  EXPECT_EQ(source->shape().targets[0].class_count, 3);
  for (const std::uint32_t first : {8U, 4U}) {
    const std::vector<std::uint32_t> indices{first, 1};
    EXPECT_THAT(testing::read_inputs(*source, indices),
                ElementsAre(first, static_cast<float>(first) + 0.5F, 1, 1.5F));
    EXPECT_THAT(testing::read_targets<std::int64_t>(*source, indices), ElementsAre(first % 3, 1));
  }
}

TEST(PluginSource, RealTargetsAndExamplesMax) {
  DataConfig config = with(PLUGIN_GOOD);
  config.options = "real";
  config.examples_max = 4;
  const auto source = open_data_source(config).value();
  EXPECT_EQ(source->example_count(), 4U);
  EXPECT_EQ(source->shape().targets[0].type, ElementType::float32);
  EXPECT_THAT(testing::read_targets<float>(*source, {3}), ElementsAre(6));
}

TEST(PluginSource, ErrorsNameTheLibraryAndTheReason) {
  DataConfig failing = with(PLUGIN_GOOD);
  failing.file = "sensor.bin";
  failing.options = "fail";
  EXPECT_THAT(refusal(failing), HasSubstr("libhansa_test_plugin_good.so: sensor.bin:7: cannot be read"));
  EXPECT_EQ(refusal(failing).find("second line"), std::string::npos);
  DataConfig other = with(PLUGIN_GOOD);
  other.kind = "camera";
  EXPECT_THAT(refusal(other), HasSubstr("registers \"ramp\""));
  EXPECT_THAT(refusal(with(PLUGIN_OTHER_VERSION)),
              HasSubstr("of version 2, but its entry is that of version 1"));
  EXPECT_THAT(refusal(with(PLUGIN_WITHOUT_ENTRY)), HasSubstr("is not a data plugin"));
  EXPECT_THAT(refusal(with(PLUGIN_BAD_SHAPE)), HasSubstr("examples of an invalid shape"));
  EXPECT_THAT(refusal(with("/nowhere/none.so")), HasSubstr("/nowhere/none.so: cannot be loaded"));
}

DataConfig typed(const std::string& options = "") {
  DataConfig config = with(PLUGIN_TYPED);
  config.kind = "typed";
  config.options = options;
  return config;
}

TEST(TypedPlugin, HasSeveralInputsAndTargets) {
  const auto source = open_data_source(typed()).value();
  EXPECT_EQ(source->example_count(), 6U);
  EXPECT_EQ(text_of(std::span<const TensorSpec>(source->shape().inputs)),
            "`tokens`: int64 [3], `mask`: boolean [3]");
  EXPECT_EQ(text_of(std::span<const TensorSpec>(source->shape().targets)),
            "`y`: int64 [2], `y_half`: float32 []");
  EXPECT_EQ(source->shape().targets[0].class_count, 4);
  const std::vector<std::uint32_t> indices{5, 0};
  EXPECT_THAT(read_tensor<std::int64_t>(*source, 0, indices).value(), ElementsAre(5, 6, 7, 0, 1, 2));
  EXPECT_THAT(read_tensor<std::uint8_t>(*source, 1, indices).value(), ElementsAre(1, 0, 1, 1, 0, 1));
  EXPECT_THAT(read_tensor<std::int64_t>(*source, 2, indices).value(), ElementsAre(1, -100, 0, -100));
  EXPECT_THAT(read_tensor<float>(*source, 3, indices).value(), ElementsAre(2.5F, 0));
  EXPECT_THAT(copy_of(*source).value().values<float>(3), ElementsAre(0, 0.5F, 1, 1.5F, 2, 2.5F));
}

TEST(TypedPlugin, AShapeThatNoExampleHasIsRefused) {
  for (const char* options : {"twice", "order", "type", "none"})
    EXPECT_THAT(refusal(typed(options)), HasSubstr("examples of an invalid shape")) << options;
}

TEST(RegisteredKind, IsOpenedByItsNameAndCannotBeRegisteredTwice) {
  ASSERT_TRUE(register_data_kind("test-kind", [](const DataConfig& config) {
    return Result<std::unique_ptr<DataSource>>(fail(ErrorCode::data, config.options, "was asked"));
  }));
  DataConfig config;
  config.kind = "test-kind";
  config.options = "here";
  EXPECT_EQ(refusal(config), "here: was asked");
  EXPECT_FALSE(register_data_kind("test-kind", nullptr));
  EXPECT_FALSE(register_data_kind("csv", nullptr));
  EXPECT_THAT(data_kinds(), ::testing::Contains("test-kind"));
}

}  // namespace
}  // namespace hansa::learning
