// A model that is saved by places gives exactly what the archive gives with these values, and is the archive otherwise.
#include <random>

#include <caffe2/serialize/inline_container.h>
#include <gmock/gmock.h>
#include <torch/script.h>

#include "learning/find_value_places.h"
#include "learning/model_archive.h"
#include "learning/model_saver.h"
#include "tests/learning/archives.h"
#include "tests/learning/hostile_archives.h"
#include "tests/temporary_folder.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using testing::TestModel;
using torch::jit::Module;

class SavedCopies : public ::testing::Test {
 protected:
  // Finite, and not negative, because some are variances.
  static std::vector<float> values_for(std::uint64_t count) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> distribution(0.01F, 1.0F);
    std::vector<float> out(count);
    for (float& value : out) value = distribution(random);
    return out;
  }
  Result<WrittenFile> save(std::span<const float> values, const std::vector<std::string>& patterns = {},
                           const KeptVectors& kept = {}, PersonalValues personal = PersonalValues::kept) {
    HANSA_TRY(const ModelDescription model, describe_archive(path_, patterns));
    TrainingRequest request;
    request.archive = path_;
    request.layout = model.layout.digest();
    request.inputs = {{std::string(model_input), values}};
    request.kept = kept;
    HANSA_TRY(const ValuePlaces places, find_value_places(path_, patterns));
    return save_at_places(request, personal, places, out_, {});
  }
  static std::vector<std::string> names_in(const std::filesystem::path& archive) {
    caffe2::serialize::PyTorchStreamReader reader(archive.string());
    return reader.getAllRecords();
  }
  void expect_same_but_values() const {
    EXPECT_EQ(std::filesystem::file_size(out_), std::filesystem::file_size(path_));
    const std::vector<std::string> names = names_in(path_);
    ASSERT_EQ(names_in(out_), names);
    for (const std::string& name : names) {
      if (name.starts_with("data/")) continue;
      EXPECT_EQ(testing::record_of(out_, name), testing::record_of(path_, name)) << name;
    }
  }
  // What LibTorch's own writer makes of the archive with these values, as hansa model export.
  void expect_same_as_exported(const std::vector<float>& values) const {
    const std::filesystem::path exported = folder_ / "exported.pt";
    ASSERT_TRUE(save_with_parameters(path_, values, exported));
    Module own = torch::jit::load(out_.string()), other = torch::jit::load(exported.string());
    const auto attributes = own.named_attributes(/*recurse=*/true);
    auto others = other.named_attributes(/*recurse=*/true).begin();
    std::size_t tensors = 0;
    for (const auto& attribute : attributes) {
      const auto expected = *others;
      ++others;
      ASSERT_EQ(attribute.name, expected.name);
      if (!attribute.value.isTensor()) continue;
      EXPECT_TRUE(attribute.value.toTensor().equal(expected.value.toTensor())) << attribute.name;
      EXPECT_EQ(attribute.value.toTensor().requires_grad(), expected.value.toTensor().requires_grad());
      ++tensors;
    }
    EXPECT_GT(tensors, 0U);
  }
  void expect_saved() {
    const auto model = describe_archive(path_);
    ASSERT_TRUE(model) << model.error().text();
    const std::vector<float> values = values_for(model->layout.element_count());
    const auto written = save(values);
    ASSERT_TRUE(written) << written.error().text();
    EXPECT_EQ(written->bytes, std::filesystem::file_size(out_));
    EXPECT_EQ(describe_archive(out_)->parameters, values);
    expect_same_but_values();
    expect_same_as_exported(values);
  }
  void expect_refused() {
    const auto model = describe_archive(path_);
    ASSERT_TRUE(model) << model.error().text();
    const auto written = save(values_for(model->layout.element_count()));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::model);
    EXPECT_THAT(written.error().text(), HasSubstr("in the memory of weight"));
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
  // A model that computes with `weight` and with what `add` registers.
  template <class Add>
  void store(const at::Tensor& weight, const std::string& result, const Add& add) {
    Module module("m");
    module.register_attribute("training", c10::BoolType::get(), true);
    module.register_parameter("weight", weight.requires_grad_(true), false);
    add(module);
    module.define("def forward(self, x):\n    return x * (" + result + ").sum()\n");
    module.save(path_.string());
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "model.pt", out_ = folder_ / "out.pt";
};

TEST_F(SavedCopies, EveryTestModelIsTheArchiveWithTheValues) {
  for (const TestModel model :
       {TestModel::linear, TestModel::batch_norm, TestModel::dropout, TestModel::custom_loss,
        TestModel::tied_weights, TestModel::frozen_layer, TestModel::counter, TestModel::gru,
        TestModel::two_conv1d, TestModel::nested_cnn}) {
    SCOPED_TRACE(static_cast<int>(model));
    testing::write_archive(model, path_, {8, 8});
    expect_saved();
  }
}

TEST_F(SavedCopies, EveryBuiltInModelIsTheArchiveWithTheValues) {
  for (const BuiltInModel& model : built_in_models()) {
    SCOPED_TRACE(model.name);
    ASSERT_TRUE(create_built_in(model.name, 3, path_));
    expect_saved();
  }
}

TEST_F(SavedCopies, OutputsAreThoseOfTheExportedModel) {
  testing::write_archive(TestModel::nested_cnn, path_, {8, 8});
  const std::vector<float> values = values_for(describe_archive(path_)->layout.element_count());
  ASSERT_TRUE(save(values));
  ASSERT_TRUE(save_with_parameters(path_, values, folder_ / "exported.pt"));
  for (const bool training : {false, true}) {
    std::vector<at::Tensor> outputs;
    for (const auto& archive : {out_, folder_ / "exported.pt"}) {
      Module module = torch::jit::load(archive.string());
      EXPECT_TRUE(module.is_training());
      module.train(training);
      outputs.push_back(module.forward({at::arange(128, at::kFloat).sin().reshape({2, 1, 8, 8})}).toTensor());
    }
    EXPECT_TRUE(outputs[0].equal(outputs[1]));
  }
}

TEST_F(SavedCopies, AWeightInChannelsLastOrderIsSaved) {
  store(at::ones({4, 3, 2, 5}).contiguous(at::MemoryFormat::ChannelsLast), "self.weight", [](Module&) {});
  expect_saved();
}

TEST_F(SavedCopies, ParametersThatUseDifferentBytesOfOneMemoryAreSaved) {
  const at::Tensor all = at::arange(60, at::kFloat).reshape({6, 10});
  store(all.slice(1, 0, 4), "self.weight * self.other[:, :4] * self.third[0]", [&](Module& module) {
    module.register_parameter("other", all.slice(1, 4, 9).requires_grad_(true), false);
    module.register_parameter("third", all.select(1, 9).requires_grad_(true), false);
  });
  expect_saved();
}

TEST_F(SavedCopies, ATransposedPartOfALargerMemoryLeavesTheOtherValues) {
  const at::Tensor table = at::arange(100, at::kFloat).reshape({10, 10});
  store(table.slice(0, 2, 5).t(), "self.weight", [](Module&) {});
  expect_saved();
  const std::string before = testing::record_of(path_, "data/0"), after = testing::record_of(out_, "data/0");
  ASSERT_EQ(before.size(), 400U);
  EXPECT_EQ(after.substr(0, 80), before.substr(0, 80));
  EXPECT_EQ(after.substr(200), before.substr(200));
  EXPECT_NE(after.substr(80, 120), before.substr(80, 120));
}

TEST_F(SavedCopies, AFrozenParameterInTheMemoryOfATrainedOneIsRefused) {
  const at::Tensor weight = at::ones({3, 3});
  store(weight, "self.weight + self.frozen",
        [&](Module& module) { module.register_parameter("frozen", weight.detach().reshape({9}), false); });
  expect_refused();
}

TEST_F(SavedCopies, TwoTrainedParametersThatOverlapAreRefused) {
  const at::Tensor all = at::ones({5});
  store(all.slice(0, 0, 3), "self.weight + self.other", [&](Module& module) {
    module.register_parameter("other", all.slice(0, 2, 5).requires_grad_(true), false);
  });
  const auto model = describe_archive(path_);
  ASSERT_TRUE(model);
  const auto written = save(values_for(model->layout.element_count()));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text(), HasSubstr("in the memory of other"));
}

TEST_F(SavedCopies, AnExpandedParameterIsRefused) {
  store(at::ones({1}).expand({7}), "self.weight", [](Module&) {});
  expect_refused();
}

TEST_F(SavedCopies, AnAttributeInADictionaryThatRefersToAParameterIsRefused) {
  const at::Tensor weight = at::ones({3});
  store(weight, "self.weight + self.table['a']", [&](Module& module) {
    c10::Dict<std::string, at::Tensor> table;
    table.insert("a", weight.detach());
    module.register_attribute("table", c10::DictType::create(c10::StringType::get(), c10::TensorType::get()),
                              table);
  });
  expect_refused();
}

TEST_F(SavedCopies, PersonalValuesAreTheDevicesOrTheArchives) {
  ASSERT_TRUE(create_built_in("mlp", 3, path_));
  const std::vector<std::string> head{"fc2.*"};
  const auto whole = describe_archive(path_), shared = describe_archive(path_, head);
  ASSERT_TRUE(whole && shared);
  const std::vector<float> values = values_for(shared->layout.element_count());
  const std::size_t personal = whole->parameters.size() - values.size();
  std::vector<float> own(personal);
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = static_cast<float>(i);
  const auto places = find_value_places(path_, head);
  ASSERT_TRUE(places);
  KeptVectors kept;
  kept.emplace(personal_vector_name(places->personal.layout), KeptVector(Digest{}, own));
  // The head is the last part of the layout.
  const auto expect_values = [&](const std::vector<float>& of_head) {
    std::vector<float> expected = values;
    expected.insert(expected.end(), of_head.begin(), of_head.end());
    EXPECT_EQ(describe_archive(out_)->parameters, expected);
    expect_same_but_values();
  };
  const std::vector<float> archived(whole->parameters.end() - static_cast<std::ptrdiff_t>(personal),
                                    whole->parameters.end());
  ASSERT_TRUE(save(values, head, kept));
  expect_values(own);
  ASSERT_TRUE(save(values, head, kept, PersonalValues::archived));
  expect_values(archived);
  ASSERT_TRUE(save(values, head, {}));
  expect_values(archived);
}

TEST_F(SavedCopies, ADevicesOwnModelOfAllParametersTakesThePlaceOfTheGlobalOne) {
  ASSERT_TRUE(create_built_in("mlp", 3, path_));
  const auto model = describe_archive(path_);
  ASSERT_TRUE(model);
  const std::vector<float> values = values_for(model->layout.element_count());
  std::vector<float> own = values;
  for (float& value : own) value += 1;
  const Digest layout = model->layout.digest();
  const auto saved = [&](const KeptVector& kept, PersonalValues personal) {
    const auto written = save(values, {}, {{std::string(personal_model_vector), kept}}, personal);
    EXPECT_TRUE(written) << written.error().text();
    expect_same_but_values();
    return describe_archive(out_)->parameters;
  };
  EXPECT_EQ(saved({layout, own}, PersonalValues::kept), own);
  EXPECT_EQ(saved({layout, own}, PersonalValues::archived), values);
  EXPECT_EQ(saved({Digest{}, own}, PersonalValues::kept), values) << "of another layout";
  EXPECT_EQ(saved({layout, {1, 2, 3}}, PersonalValues::kept), values) << "of another size";
}

TEST_F(SavedCopies, AnotherLayoutIsRefused) {
  ASSERT_TRUE(create_built_in("mlp", 3, path_));
  const auto written = save(std::vector<float>(7));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().text(), HasSubstr("another layout"));
}

}  // namespace
}  // namespace hansa::learning
