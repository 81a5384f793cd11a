// Kind "cifar": records of both sizes, folders, and errors.
#include <gmock/gmock.h>

#include "learning/data/kinds/cifar/record_layout.h"
#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_inputs;
using testing::read_targets;
using testing::refusal_of;
using testing::try_open_kind;
using testing::write_bytes;
using Bytes = std::vector<std::uint8_t>;

// A record with these labels, whose pixel i is (first + i) modulo 256.
void append_record(Bytes& out, const Bytes& labels, std::size_t first) {
  out.insert(out.end(), labels.begin(), labels.end());
  for (std::size_t i = 0; i < kinds::cifar_image_bytes; ++i)
    out.push_back(static_cast<std::uint8_t>(first + i));
}
// CIFAR-10: a record for each label.
Bytes records_of(const Bytes& labels) {
  Bytes out;
  for (const std::uint8_t label : labels) append_record(out, {label}, label);
  return out;
}

class CifarSource : public ::testing::Test {
 protected:
  CifarSource() {
    config_.kind = "cifar";
    config_.file = folder_ / "data_batch_1.bin";
  }
  std::vector<std::int64_t> labels() {
    const auto source = try_open_kind(config_);
    if (!source) {
      ADD_FAILURE() << source.error().text();
      return {};
    }
    return read_targets<std::int64_t>(**source, testing::all_of(**source));
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(CifarSource, ImagesHaveThreeChannelsAndPixelsAreFractions) {
  write_bytes(config_.file, records_of({3, 9}));
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 2U);
  EXPECT_EQ(text_of((*source)->shape().inputs), "`x`: float32 [3, 32, 32]");
  EXPECT_EQ((*source)->shape().targets[0].class_count, 10);
  const std::vector<float> image = read_inputs(**source, {1});
  for (std::size_t i = 0; i < image.size(); ++i)
    ASSERT_EQ(image[i], static_cast<float>((9 + i) % 256) / 255.0F) << i;
  EXPECT_THAT(read_targets<std::int64_t>(**source, {1, 0}), ElementsAre(9, 3));
  EXPECT_EQ((*source)->memory_bytes(), 2U * 3073);
}

TEST_F(CifarSource, Cifar100HasFineAndCoarseLabels) {
  Bytes bytes;
  append_record(bytes, {19, 99}, 5);
  append_record(bytes, {4, 30}, 6);
  write_bytes(config_.file, bytes);
  EXPECT_THAT(labels(), ElementsAre(99, 30));
  EXPECT_EQ(try_open_kind(config_).value()->shape().targets[0].class_count, 100);
  config_.label = "fine";
  EXPECT_THAT(labels(), ElementsAre(99, 30));
  config_.label = "coarse";
  EXPECT_THAT(labels(), ElementsAre(19, 4));
  const auto source = try_open_kind(config_).value();
  EXPECT_EQ(source->shape().targets[0].class_count, 20);
  EXPECT_EQ(read_inputs(*source, {1})[0], 6 / 255.0F);
}

TEST_F(CifarSource, FilesOfAFolderAreReadInTheOrderOfTheirNames) {
  write_bytes(folder_ / "data_batch_2.bin", records_of({4, 5}));
  write_bytes(folder_ / "data_batch_1.bin", records_of({1, 2, 3}));
  write_bytes(folder_ / "test_batch.bin", records_of({9}));
  testing::write_text(folder_ / "batches.meta.txt", "airplane\n");
  config_.file = folder_.path();
  EXPECT_THAT(labels(), ElementsAre(1, 2, 3, 4, 5));
  config_.examples_max = 4;
  EXPECT_THAT(labels(), ElementsAre(1, 2, 3, 4));
  config_.examples_max = 2;
  EXPECT_THAT(labels(), ElementsAre(1, 2));
}

TEST_F(CifarSource, TheFolderOfCifar100IsItsTrainingFile) {
  Bytes bytes;
  append_record(bytes, {1, 7}, 0);
  write_bytes(folder_ / "train.bin", bytes);
  write_bytes(folder_ / "test.bin", bytes);
  config_.file = folder_.path();
  EXPECT_THAT(labels(), ElementsAre(7));
  write_bytes(folder_ / "data_batch_1.bin", records_of({1}));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("CIFAR-10 and of CIFAR-100"));
}

TEST_F(CifarSource, FilesOfBothSizesInAFolderAreRefused) {
  write_bytes(folder_ / "data_batch_1.bin", records_of({1}));
  Bytes bytes;
  append_record(bytes, {1, 7}, 0);
  write_bytes(folder_ / "data_batch_2.bin", bytes);
  config_.file = folder_.path();
  EXPECT_EQ(refusal_of(config_).location, (folder_ / "data_batch_2.bin").string());
}

TEST_F(CifarSource, OfASizeThatFitsBothTheLabelsDecide) {
  Bytes bytes;
  for (std::size_t i = 0; i < 3074; ++i) append_record(bytes, {static_cast<std::uint8_t>(i % 10)}, 100);
  ASSERT_EQ(bytes.size() % 3074, 0U);
  write_bytes(config_.file, bytes);
  EXPECT_EQ(try_open_kind(config_).value()->example_count(), 3074U);
  bytes.clear();
  for (std::size_t i = 0; i < 3073; ++i) append_record(bytes, {19, static_cast<std::uint8_t>(i % 100)}, 100);
  write_bytes(config_.file, bytes);
  EXPECT_EQ(try_open_kind(config_).value()->example_count(), 3073U);
  write_bytes(config_.file, Bytes(3073 * 3074, 0));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("do not decide"));
  write_bytes(config_.file, Bytes(3073 * 3074, 255));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("do not decide"));
}

TEST_F(CifarSource, ALabelThatIsNoClassIsRefusedNamingTheExample) {
  write_bytes(config_.file, records_of({3, 10}));
  const Error error = refusal_of(config_);
  EXPECT_EQ(error.location, config_.file.string() + ": example 1");
  EXPECT_EQ(error.reason.number(Quantity::example), 1U);
  Bytes bytes;
  append_record(bytes, {20, 7}, 0);
  write_bytes(config_.file, bytes);
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("label 20"));
}

TEST_F(CifarSource, OtherFilesAreRefused) {
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("does not exist"));
  write_bytes(config_.file, {});
  EXPECT_EQ(refusal_of(config_).reason.code, ReasonCode::too_few_examples);
  Bytes bytes = records_of({1, 2});
  bytes.pop_back();
  write_bytes(config_.file, bytes);
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("6145 bytes"));
  config_.file = folder_ / "python";
  std::filesystem::create_directory(config_.file);
  write_bytes(config_.file / "data_batch_1", {0x80, 2});
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("no data_batch_*.bin"));
}

TEST_F(CifarSource, AGzippedFileIsRefusedAlsoIfItsSizeFits) {
  // Each record is compressed to a member of its own, until the size is one of whole records.
  const Bytes records = records_of({1, 2, 3, 4, 5, 6, 7, 8, 9});
  Bytes bytes = testing::gzipped(records);
  ASSERT_LT(bytes.size(), 3073U);
  // The header of a second member has a name, which fills the file.
  Bytes second = testing::gzipped({1});
  second[3] = 8;
  second.insert(second.begin() + 10, 3073 - bytes.size() - second.size() - 1, 'n');
  second.insert(
      second.begin() + 10 + static_cast<std::ptrdiff_t>(second.size() - testing::gzipped({1}).size()), 0);
  bytes.insert(bytes.end(), second.begin(), second.end());
  ASSERT_EQ(bytes.size(), 3073U);
  write_bytes(config_.file, bytes);
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("gzipped"));
}

TEST_F(CifarSource, TheKeyLabelIsChecked) {
  write_bytes(config_.file, records_of({1}));
  config_.label = "coarse";
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("one label"));
  config_.label = "medium";
  const Error error = refusal_of(config_);
  EXPECT_EQ(error.code, ErrorCode::usage);
  EXPECT_EQ(error.location, "data.label");
}

}  // namespace
}  // namespace hansa::learning
