// Kind "tensors": files written by torch.save, and the errors for invalid files.
#include "learning/data_supply.h"

#include <cmath>

#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/script.h>

#include "common/random.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_inputs;
using testing::read_targets;

class TensorsSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "tensors";
    config_.file = folder_ / "shard.pt";
  }
  void write(const at::Tensor& x, const at::Tensor& y) {
    c10::Dict<std::string, at::Tensor> dict;
    dict.insert("x", x);
    dict.insert("y", y);
    write_value(dict);
  }
  void write_value(const c10::IValue& value) {
    const std::vector<char> bytes = torch::jit::pickle_save(value);
    testing::write_bytes(config_.file, {bytes.begin(), bytes.end()});
  }
  std::unique_ptr<DataSource> open() {
    auto source = open_examples(config_);
    if (!source) throw std::runtime_error(source.error().text());
    return *std::move(source);
  }
  std::string refusal() {
    const auto source = open_examples(config_);
    if (source) return "was opened";
    EXPECT_EQ(source.error().text().find('\n'), std::string::npos) << source.error().text();
    return source.error().text();
  }
  testing::TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(TensorsSource, FloatsAndClassesAreReadByIndex) {
  write(at::arange(12, at::kFloat).reshape({3, 2, 2}), at::tensor({2, 0, 1}, at::kLong));
  const auto source = open();
  EXPECT_EQ(source->example_count(), 3U);
  EXPECT_THAT(source->shape().inputs[0].shape, ElementsAre(2, 2));
  EXPECT_EQ(source->shape().targets[0].class_count, 3);
  EXPECT_THAT(read_inputs(*source, {2, 0}), ElementsAre(8, 9, 10, 11, 0, 1, 2, 3));
  EXPECT_THAT(read_targets<std::int64_t>(*source, {2, 0}), ElementsAre(1, 2));
  EXPECT_EQ(source->memory_bytes(), 0U) << "the file stays where it is";
}

TEST_F(TensorsSource, EveryTypeOfNumberIsConverted) {
  const at::Tensor values = at::tensor({1, 2, 0}, at::kLong);
  for (const at::ScalarType type :
       {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kByte, at::kChar, at::kShort}) {
    write(values.to(type), values.to(at::kInt).unsqueeze(1));
    const auto source = open();
    EXPECT_EQ(source->shape().inputs[0].type, ElementType::float32) << type;
    EXPECT_THAT(read_inputs(*source, {0, 1, 2}), ElementsAre(1, 2, 0)) << type;
    EXPECT_THAT(read_targets<std::int64_t>(*source, {0, 1, 2}), ElementsAre(1, 2, 0)) << "n x 1 counts as n";
  }
}

TEST_F(TensorsSource, NumbersThatNameSomethingKeepTheirType) {
  const at::Tensor values = at::tensor({1, 2, 0}, at::kLong);
  write(values, values);
  EXPECT_EQ(open()->shape().inputs[0].type, ElementType::int64);
  EXPECT_THAT(read_inputs<std::int64_t>(*open(), {1, 2}), ElementsAre(2, 0));
  write(values.to(at::kInt), values);
  EXPECT_EQ(open()->shape().inputs[0].type, ElementType::int32);
  EXPECT_THAT(read_inputs<std::int32_t>(*open(), {1, 2}), ElementsAre(2, 0));
  write(values.gt(0), values);
  EXPECT_EQ(open()->shape().inputs[0].type, ElementType::boolean);
  EXPECT_THAT(read_inputs<std::uint8_t>(*open(), {1, 2}), ElementsAre(1, 0));
}

TEST_F(TensorsSource, HasInputsAndTargetsByTheirNames) {
  c10::Dict<std::string, at::Tensor> several;
  several.insert("y_class", at::tensor({0, 2}, at::kLong));
  several.insert("tokens", at::tensor({3, 4, 5, 6}, at::kLong).reshape({2, 2}));
  several.insert("age", at::tensor({0.5F, 1.5F}));
  several.insert("y", at::tensor({1, -100, 0, 3}, at::kInt).reshape({2, 2}));
  several.insert("years", at::zeros({2, 1}));
  write_value(several);
  const auto source = open();
  EXPECT_EQ(text_of(std::span<const TensorSpec>(source->shape().inputs)),
            "`tokens`: int64 [2], `age`: float32 [], `years`: float32 [1]");
  EXPECT_EQ(text_of(std::span<const TensorSpec>(source->shape().targets)),
            "`y_class`: int64 [], `y`: int64 [2]");
  EXPECT_EQ(source->shape().targets[0].class_count, 3);
  EXPECT_EQ(source->shape().targets[1].class_count, 4) << "a label of -100 does not count";
  EXPECT_THAT(read_tensor<std::int64_t>(*source, 4, std::vector<std::uint32_t>{0}).value(),
              ElementsAre(1, -100));
  c10::Dict<std::string, at::Tensor> only_x;
  only_x.insert("x", at::zeros({2, 1}));
  write_value(only_x);
  EXPECT_TRUE(open()->shape().targets.empty()) << "an autoencoder needs none";
}

TEST_F(TensorsSource, ViewsTransposesAndSharedStoragesAreReadCorrectly) {
  const at::Tensor whole = at::arange(20, at::kFloat).reshape({4, 5});
  write(whole.t(), whole.select(0, 1));  // 5 x 4, and 5 values of the same storage
  const auto source = open();
  EXPECT_THAT(read_inputs(*source, {3}), ElementsAre(3, 8, 13, 18));
  EXPECT_THAT(read_targets<float>(*source, {3}), ElementsAre(8));
}

TEST_F(TensorsSource, RealTargetsMayHaveAShape) {
  write(at::zeros({2, 3}), at::tensor({0.5, 1.5, 2.5, 3.5}, at::kFloat).reshape({2, 2}));
  const auto source = open();
  EXPECT_EQ(source->shape().targets[0].type, ElementType::float32);
  EXPECT_THAT(source->shape().targets[0].shape, ElementsAre(2));
  EXPECT_THAT(read_targets<float>(*source, {1}), ElementsAre(2.5F, 3.5F));
}

TEST_F(TensorsSource, ExamplesMaxTakesTheFirst) {
  config_.examples_max = 2;
  write(at::tensor({1.0F, 2.0F, std::nanf("")}), at::tensor({0, 1, -7}, at::kLong));
  const auto source = open();
  EXPECT_EQ(source->example_count(), 2U);
  EXPECT_EQ(source->shape().targets[0].class_count, 2);
}

TEST_F(TensorsSource, ErrorsNameTheFileAndTheExample) {
  const at::Tensor x = at::zeros({3, 2});
  const at::Tensor y = at::zeros({3}, at::kLong);
  write(x, at::zeros({2}, at::kLong));
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: has 3 examples in x, but 2 in y"));
  at::Tensor infinite = x.clone();
  infinite[1][0] = INFINITY;
  write(infinite, y);
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: example 1: has NaN or an infinite value in x"));
  write(x, at::tensor({0, 1, -1}, at::kLong));
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: example 2: has the label -1"));
  write(at::zeros({0, 2}), at::zeros({0}, at::kLong));
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: holds no example"));
  c10::Dict<std::string, at::Tensor> only_y;
  only_y.insert("y", y);
  write_value(only_y);
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: has no tensor \"x\""));
  write_value(x);
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: does not hold a dict"));
  testing::write_text(config_.file, "no archive");
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: was not written by torch.save"));
  std::filesystem::remove(config_.file);
  EXPECT_THAT(refusal(), HasSubstr("shard.pt: does not exist"));
}

TEST_F(TensorsSource, TruncatedAndDamagedFilesAreRefusedOrReadWithinTheirBounds) {
  write(at::rand({50, 8}), at::randint(0, 4, {50}, at::kLong));
  const std::vector<std::uint8_t> whole = testing::read_bytes(config_.file);
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    testing::write_bytes(config_.file, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THAT(refusal(), HasSubstr("shard.pt: ")) << size;
  }
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    std::vector<std::uint8_t> damaged = whole;
    for (std::uint64_t i = 0; i <= random.below(3); ++i)
      damaged[random.below(damaged.size())] = static_cast<std::uint8_t>(random.next());
    testing::write_bytes(config_.file, damaged);
    const auto source = open_examples(config_);
    if (!source) continue;
    std::ignore = read_inputs(**source, testing::all_of(**source));
  }
}

}  // namespace
}  // namespace hansa::learning
