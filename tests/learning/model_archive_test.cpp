// Archives: built-in models, layouts, saving, and invalid files.
#include "learning/model_archive.h"

#include <cmath>

#include <gmock/gmock.h>

#include "tests/learning/archives.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TestModel;
using testing::write_archive;

std::vector<std::string> names_of(const ParameterLayout& layout) {
  std::vector<std::string> out;
  for (const ParameterEntry& entry : layout.entries()) out.push_back(entry.name);
  return out;
}

ModelDescription describe(const std::filesystem::path& path) {
  auto description = describe_archive(path);
  if (!description) throw std::runtime_error(description.error().text());
  return *std::move(description);
}

class Archive : public ::testing::Test {
 protected:
  Error refusal() {
    const auto description = describe_archive(path_);
    if (description) return {ErrorCode::internal, "", "was read", ""};
    EXPECT_EQ(description.error().location, path_.string());
    EXPECT_EQ(description.error().code, ErrorCode::model);
    EXPECT_THAT(description.error().text(), ::testing::Not(HasSubstr("\n")));
    return description.error();
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.pt";
};

TEST_F(Archive, CnnSmallHasItsLayout) {
  ASSERT_TRUE(create_built_in("cnn-small", 7, path_));
  const ModelDescription model = describe(path_);
  EXPECT_EQ(model.layout.element_count(), 18'378U);
  EXPECT_EQ(model.layout.text(),
            "trainable conv1.weight 16 1 5 5\ntrainable conv1.bias 16\n"
            "trainable conv2.weight 32 16 5 5\ntrainable conv2.bias 32\n"
            "trainable fc.weight 10 512\ntrainable fc.bias 10\n");
  EXPECT_FALSE(model.has_training_loss);
  EXPECT_FALSE(model.has_metrics);
}

TEST_F(Archive, EveryBuiltInModelCanBeCreatedAndRead) {
  for (const BuiltInModel& model : built_in_models()) {
    ASSERT_TRUE(create_built_in(model.name, 1, path_)) << model.name;
    std::string count = std::to_string(describe(path_).layout.element_count());
    for (std::size_t i = count.size(); i > 3;) count.insert(i -= 3, ",");
    EXPECT_THAT(model.description, HasSubstr(" " + count + " parameters"));
  }
}

// The published counts: McMahan et al. 2017, section 3; Li et al. 2022.
TEST_F(Archive, ModelsOfPapersHaveTheirParameterCounts) {
  ASSERT_TRUE(create_built_in("cnn-mcmahan", 1, path_));
  EXPECT_EQ(describe(path_).layout.element_count(), 1'663'370U);
  ASSERT_TRUE(create_built_in("lenet", 1, path_));
  EXPECT_EQ(describe(path_).layout.element_count(), 44'426U);
}

TEST_F(Archive, BuiltInModelsHaveTheRequestedSizeIfTheirArchitectureAllows) {
  ASSERT_TRUE(create_built_in("logistic", 1, path_, {.inputs = 30, .classes = 2}));
  EXPECT_EQ(describe(path_).layout.text(), "trainable fc.weight 2 30\ntrainable fc.bias 2\n");
  ASSERT_TRUE(create_built_in("cnn-small", 1, path_, {.classes = 62}));
  EXPECT_EQ(describe(path_).layout.element_count(), 18'368U - 5'120U + 62U * 513U);
  const auto fixed = create_built_in("cnn-small", 1, path_, {.inputs = 3});
  ASSERT_FALSE(fixed);
  EXPECT_EQ(fixed.error().code, ErrorCode::usage);
  EXPECT_THAT(fixed.error().text(), HasSubstr("remove --inputs"));
  EXPECT_FALSE(create_built_in("mlp", 1, path_, {.inputs = -1}));
}

TEST_F(Archive, BuiltInModelsGiveAScorePerClass) {
  struct Case {
    const char* name;
    std::vector<std::int64_t> input;
    std::int64_t classes;
  };
  for (const Case& c :
       {Case{"logistic", {3, 1, 28, 28}, 10}, Case{"mlp", {3, 1, 28, 28}, 10},
        Case{"cnn-small", {3, 1, 28, 28}, 10}, Case{"cnn-mcmahan", {3, 1, 28, 28}, 10},
        Case{"lenet", {3, 1, 28, 28}, 10}, Case{"conv1d", {3, 1, 128}, 2}, Case{"lstm-char", {3, 80}, 90}}) {
    ASSERT_TRUE(create_built_in(c.name, 1, path_));
    EXPECT_THAT(testing::output_shape(path_, c.input), ElementsAre(3, c.classes)) << c.name;
  }
}

TEST_F(Archive, EqualSeedsGiveEqualBytesUnderAnyName) {
  ASSERT_TRUE(create_built_in("cnn-small", 7, path_));
  ASSERT_TRUE(create_built_in("cnn-small", 7, folder_ / "other.pt"));
  EXPECT_EQ(testing::read_bytes(path_), testing::read_bytes(folder_ / "other.pt"));
  ASSERT_TRUE(create_built_in("cnn-small", 8, folder_ / "other.pt"));
  EXPECT_NE(describe(path_).parameters, describe(folder_ / "other.pt").parameters);
}

TEST_F(Archive, InitialValuesFillTheDefaultRange) {
  ASSERT_TRUE(create_built_in("mlp", 3, path_));
  const ModelDescription model = describe(path_);
  for (const ParameterEntry& entry : model.layout.entries()) {
    const double bound = 1 / std::sqrt(entry.name.starts_with("fc1") ? 784.0 : 128.0);
    double largest = 0;
    double sum = 0;
    for (std::uint64_t i = entry.offset; i < entry.offset + entry.count; ++i) {
      largest = std::max(largest, std::abs(double{model.parameters[i]}));
      sum += model.parameters[i];
    }
    EXPECT_LE(largest, bound) << entry.name;
    EXPECT_GT(largest, 0.7 * bound) << entry.name;
    EXPECT_LT(std::abs(sum / static_cast<double>(entry.count)), 0.5 * bound) << entry.name;
  }
}

TEST_F(Archive, UnknownBuiltInIsRefusedNamingTheModels) {
  const auto made = create_built_in("resnet", 1, path_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::usage);
  EXPECT_THAT(made.error().text(), HasSubstr("\"logistic\", \"mlp\", \"cnn-small\""));
}

TEST_F(Archive, ParametersEqualThoseThatAUserLoads) {
  ASSERT_TRUE(create_built_in("cnn-small", 7, path_));
  EXPECT_EQ(describe(path_).parameters, testing::loaded_parameters(path_));
}

TEST_F(Archive, SavedParametersAreReadBackInOrder) {
  for (const char* name : {"logistic", "cnn-small"}) {
    ASSERT_TRUE(create_built_in(name, 7, path_));
    std::vector<float> values(describe(path_).layout.element_count());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const auto out = folder_ / "trained.pt";
    ASSERT_TRUE(save_with_parameters(path_, values, out));
    EXPECT_EQ(testing::loaded_parameters(out), values);
    const ModelDescription saved = describe(out);
    EXPECT_EQ(saved.parameters, values);
    EXPECT_EQ(saved.layout.digest(), describe(path_).layout.digest());
  }
}

TEST_F(Archive, SavingTheArchivedValuesChangesNoByte) {
  ASSERT_TRUE(create_built_in("cnn-small", 7, path_));
  ASSERT_TRUE(save_with_parameters(path_, describe(path_).parameters, folder_ / "copy.pt"));
  EXPECT_EQ(describe(folder_ / "copy.pt").parameters, describe(path_).parameters);
}

TEST_F(Archive, VectorOfAnotherSizeIsNotSaved) {
  ASSERT_TRUE(create_built_in("logistic", 7, path_));
  const auto saved = save_with_parameters(path_, std::vector<float>(3), folder_ / "out.pt");
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().what, HasSubstr("7850"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.pt"));
}

TEST_F(Archive, BuffersFollowParametersAndIntegerBuffersAreExcluded) {
  write_archive(TestModel::batch_norm, path_, {2, 2});
  EXPECT_EQ(describe(path_).layout.text(),
            "trainable norm.weight 4\ntrainable norm.bias 4\ntrainable weight 3 4\ntrainable bias 3\n"
            "buffer norm.running_mean 4\nbuffer norm.running_var 4\n");
}

TEST_F(Archive, TiedWeightsAppearOnce) {
  write_archive(TestModel::tied_weights, path_, {2, 2});
  EXPECT_THAT(names_of(describe(path_).layout), ElementsAre("first", "weight", "bias"));
}

TEST_F(Archive, FrozenParametersAreExcluded) {
  write_archive(TestModel::frozen_layer, path_, {2, 2});
  EXPECT_THAT(names_of(describe(path_).layout), ElementsAre("weight", "bias"));
}

TEST_F(Archive, OptionalMethodsAreDetected) {
  write_archive(TestModel::custom_loss, path_);
  EXPECT_TRUE(describe(path_).has_training_loss);
  EXPECT_TRUE(describe(path_).has_metrics);
}

TEST_F(Archive, MissingFileIsRefused) { EXPECT_THAT(refusal().what, HasSubstr("does not exist")); }

TEST_F(Archive, OtherFilesAreRefused) {
  testing::write_bytes(path_, {});
  EXPECT_THAT(refusal().what, HasSubstr("is empty"));
  testing::write_bytes(path_, std::vector<std::uint8_t>(5000, 'x'));
  EXPECT_THAT(refusal().what, HasSubstr("not a TorchScript archive"));
}

TEST_F(Archive, TruncatedArchiveIsRefused) {
  ASSERT_TRUE(create_built_in("logistic", 1, path_));
  const auto bytes = testing::read_bytes(path_);
  for (const std::size_t size : {bytes.size() / 4, bytes.size() / 2, bytes.size() - 30}) {
    testing::write_bytes(path_, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_THAT(refusal().what, HasSubstr("is cut off or damaged"));
  }
}

TEST_F(Archive, ADamagedArchiveIsRefusedOrReadWithoutACrash) {
  ASSERT_TRUE(create_built_in("logistic", 1, path_));
  const auto bytes = testing::read_bytes(path_);
  for (std::size_t at = 0; at < bytes.size(); at += bytes.size() / 60) {
    auto damaged = bytes;
    damaged[at] ^= 0xFF;
    testing::write_bytes(path_, damaged);
    const auto description = describe_archive(path_);
    if (description) continue;
    EXPECT_EQ(description.error().code, ErrorCode::model) << at;
  }
}

TEST_F(Archive, UnfitModelsAreRefusedWithTheReason) {
  write_archive(TestModel::without_forward, path_);
  EXPECT_THAT(refusal().what, HasSubstr("no forward"));
  write_archive(TestModel::without_parameters, path_);
  EXPECT_THAT(refusal().what, HasSubstr("no parameter to train"));
  write_archive(TestModel::double_precision, path_);
  EXPECT_THAT(refusal().text(), HasSubstr("float32"));
}

}  // namespace
}  // namespace hansa::learning
