// Kind "idx": what it reads, and its errors for unusable data.
#include <gmock/gmock.h>

#include "learning/data/data_source.h"
#include "learning/data/idx_file.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::write_bytes;
using Bytes = std::vector<std::uint8_t>;

// Two images of 1 x 3 pixels.
const Bytes images_bytes{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 51, 255, 102, 0, 204};
const Bytes labels_bytes{0, 0, 8, 1, 0, 0, 0, 2, 4, 9};

class IdxSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.images = folder_ / "images";
    config_.labels = folder_ / "labels";
    write_bytes(config_.images, images_bytes);
    write_bytes(config_.labels, labels_bytes);
  }

  // The error of opening. It must name a file or key and have a hint.
  Error refusal() {
    const auto source = open_data_source(config_);
    if (source) return {ErrorCode::internal, "", "was opened", ""};
    EXPECT_THAT(source.error().location, Not(::testing::IsEmpty()));
    EXPECT_THAT(source.error().hint, Not(::testing::IsEmpty()));
    return source.error();
  }
  Error refusal_of_images(const Bytes& bytes) {
    write_bytes(config_.images, bytes);
    Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::data);
    return error;
  }
  static Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes[at] = value;
    return bytes;
  }
  static Bytes first(const Bytes& bytes, std::size_t count) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(IdxSource, PixelsBecomeFractionsAndLabelsIntegers) {
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 2U);
  EXPECT_THAT((*source)->shape().inputs[0].shape, ElementsAre(1, 1, 3));
  EXPECT_EQ((*source)->shape().targets[0].class_count, 10);
  const std::vector<std::uint32_t> order{1, 0};
  const std::vector<float> inputs = read_tensor<float>(**source, 0, order).value();
  const std::vector<std::int64_t> labels = read_tensor<std::int64_t>(**source, 1, order).value();
  EXPECT_THAT(inputs, ElementsAre(102 / 255.0F, 0, 204 / 255.0F, 0, 51 / 255.0F, 1));
  EXPECT_THAT(labels, ElementsAre(9, 4));
}

TEST_F(IdxSource, GzippedFilesReadTheSameWhateverTheirName) {
  write_bytes(config_.images, testing::gzipped(images_bytes));
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  const std::vector<std::uint32_t> order{0};
  const std::vector<float> inputs = read_tensor<float>(**source, 0, order).value();
  EXPECT_THAT(inputs, ElementsAre(0, 51 / 255.0F, 1));
}

TEST_F(IdxSource, ExamplesMaxTakesTheFirst) {
  config_.examples_max = 1;
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 1U);
  EXPECT_EQ((*source)->shape().targets[0].class_count, 5);
}

TEST_F(IdxSource, UnknownKindIsRefusedNamingTheKinds) {
  config_.kind = "parquet";
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::usage);
  EXPECT_THAT(error.text(), HasSubstr("parquet"));
  EXPECT_THAT(error.hint, HasSubstr("\"idx\""));
}

TEST_F(IdxSource, UnsetPathIsRefusedNamingTheKey) {
  config_.labels.clear();
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::usage);
  EXPECT_EQ(error.location, "data.labels");
}

TEST_F(IdxSource, MissingFileIsRefused) {
  std::filesystem::remove(config_.images);
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::data);
  EXPECT_EQ(error.location, config_.images.string());
}

TEST_F(IdxSource, FolderIsRefused) {
  config_.images = config_.images.parent_path();
  EXPECT_THAT(refusal().what, HasSubstr("not a file"));
}

TEST_F(IdxSource, OtherFilesAreRefused) {
  EXPECT_THAT(refusal_of_images({'P', 'K', 3, 4, 0, 0, 0, 0}).what, HasSubstr("not an idx file"));
  EXPECT_THAT(refusal_of_images(with(images_bytes, 2, 0x0D)).what, HasSubstr("not unsigned bytes"));
  EXPECT_THAT(refusal_of_images(with(images_bytes, 2, 0x0A)).what, HasSubstr("not an idx file"));
  EXPECT_THAT(refusal_of_images({0, 0, 8, 0}).what, HasSubstr("not an idx file"));
  EXPECT_THAT(refusal_of_images({}).what, HasSubstr("ends inside its header"));
}

TEST_F(IdxSource, ImagesOfAnotherRankAreRefusedWithAHint) {
  Bytes colour{0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3};
  Error error = refusal_of_images(colour);
  EXPECT_THAT(error.what, HasSubstr("4 dimensions"));
  EXPECT_THAT(error.hint, HasSubstr("colour"));
  error = refusal_of_images({0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2});
  EXPECT_THAT(error.what, HasSubstr("2 dimensions"));
  EXPECT_THAT(error.hint, HasSubstr("rows x columns"));
}

TEST_F(IdxSource, LittleEndianDimensionsAreRefusedAndTheErrorSaysSo) {
  const Bytes images{0, 0, 8, 3, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 51, 255, 102, 0, 204};
  EXPECT_THAT(refusal_of_images(images).hint, HasSubstr("little-endian"));
  write_bytes(config_.images, images_bytes);
  write_bytes(config_.labels, {0, 0, 8, 1, 2, 0, 0, 0, 4, 9});
  const Error error = refusal();
  EXPECT_EQ(error.location, config_.labels.string());
  EXPECT_THAT(error.hint, HasSubstr("little-endian"));
}

TEST_F(IdxSource, LabelsHaveAnyTypeOfIntegers) {
  // Two labels, 4 and 9 or larger ones.
  const std::vector<std::pair<Bytes, std::vector<std::int64_t>>> files{
      {{0, 0, 0x08, 1, 0, 0, 0, 2, 4, 255}, {4, 255}},
      {{0, 0, 0x09, 1, 0, 0, 0, 2, 4, 127}, {4, 127}},
      {{0, 0, 0x0B, 1, 0, 0, 0, 2, 0, 4, 0x7F, 0xFF}, {4, 32'767}},
      {{0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 1, 0, 0}, {4, 65'536}},
  };
  for (const auto& [bytes, wanted] : files) {
    SCOPED_TRACE(int{bytes[2]});
    write_bytes(config_.labels, bytes);
    const auto source = open_data_source(config_);
    ASSERT_TRUE(source) << source.error().text();
    EXPECT_EQ((*source)->shape().targets[0].class_count, wanted[1] + 1);
    const std::vector<std::uint32_t> order{0, 1};
    EXPECT_EQ(read_tensor<std::int64_t>(**source, 1, order).value(), wanted);
  }
}

TEST_F(IdxSource, TheFirstOfTheEightColumnsOfQmnistIsTheClass) {
  Bytes labels{0, 0, 0x0C, 2, 0, 0, 0, 2, 0, 0, 0, 8};
  for (const int label : {6, 1})
    for (int column = 0; column < 8; ++column) {
      labels.insert(labels.end(), {0, 0, 0});
      labels.push_back(static_cast<std::uint8_t>(column == 0 ? label : 100 + column));
    }
  write_bytes(config_.labels, labels);
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  const std::vector<std::uint32_t> order{0, 1};
  EXPECT_THAT(read_tensor<std::int64_t>(**source, 1, order).value(), ElementsAre(6, 1));
  EXPECT_EQ((*source)->shape().targets[0].class_count, 7);
  config_.examples_max = 1;
  EXPECT_TRUE(open_data_source(config_));
}

TEST_F(IdxSource, OneColumnOfLabelsIsReadAndOthersAreRefused) {
  write_bytes(config_.labels, {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 4, 9});
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->shape().targets[0].class_count, 10);
  write_bytes(config_.labels, {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0, 0, 0, 1, 0});  // one-hot
  EXPECT_THAT(refusal().what, HasSubstr("3 values for each label"));
  write_bytes(config_.labels, images_bytes);
  EXPECT_THAT(refusal().what, HasSubstr("labels have 1"));
}

TEST_F(IdxSource, ANegativeLabelIsRefusedUnlessItDoesNotCount) {
  write_bytes(config_.labels, {0, 0, 0x0B, 1, 0, 0, 0, 2, 0, 4, 0xFF, 0xFF});
  const Error error = refusal();
  EXPECT_EQ(error.location, config_.labels.string() + ": example 1");
  EXPECT_THAT(error.what, HasSubstr("label -1"));
  EXPECT_EQ(error.reason.number(Quantity::example), 1U);
  write_bytes(config_.labels, {0, 0, 0x09, 1, 0, 0, 0, 2, 156, 156});  // -100
  const auto source = open_data_source(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->shape().targets[0].class_count, 0);
}

TEST_F(IdxSource, LabelsThatAreFloatsAreRefused) {
  write_bytes(config_.labels, {0, 0, 0x0D, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_THAT(refusal().what, HasSubstr("not integers"));
}

TEST_F(IdxSource, EveryTruncationOfLabelsIsRefused) {
  const Bytes whole{0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9};
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    write_bytes(config_.labels, first(whole, size));
    EXPECT_THAT(refusal().what, HasSubstr("ends inside"));
  }
}

TEST_F(IdxSource, APairHasLabelsOfBytes) {
  write_bytes(config_.labels, {0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 255});
  const auto pair = read_idx_pair({config_.images, config_.labels});
  ASSERT_TRUE(pair) << pair.error().text();
  EXPECT_THAT(pair->labels.values, ElementsAre(4, 255));
  EXPECT_THAT(pair->labels.dimensions, ElementsAre(2));
  write_bytes(config_.labels, {0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 1, 0});
  const auto large = read_idx_pair({config_.images, config_.labels});
  ASSERT_FALSE(large);
  EXPECT_THAT(large.error().what, HasSubstr("label 256"));
}

TEST_F(IdxSource, SwappedFilesAreRefusedAndTheErrorSaysSo) {
  std::swap(config_.images, config_.labels);
  EXPECT_THAT(refusal().hint, HasSubstr("swapped"));
}

TEST_F(IdxSource, EveryTruncationIsRefused) {
  for (std::size_t size = 0; size < images_bytes.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_THAT(refusal_of_images(first(images_bytes, size)).what, HasSubstr("ends inside"));
  }
}

TEST_F(IdxSource, EveryTruncationOfGzipIsRefused) {
  const Bytes whole = testing::gzipped(images_bytes);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    EXPECT_EQ(refusal_of_images(first(whole, size)).location, config_.images.string());
  }
}

TEST_F(IdxSource, DamagedGzipIsRefused) {
  Bytes bytes = testing::gzipped(images_bytes);
  bytes[bytes.size() - 6] ^= 0xFF;  // in the checksum
  EXPECT_THAT(refusal_of_images(bytes).what, HasSubstr("damaged"));
}

TEST_F(IdxSource, BytesAfterTheLastExampleAreRefused) {
  Bytes bytes = images_bytes;
  bytes.push_back(0);
  EXPECT_THAT(refusal_of_images(bytes).what, HasSubstr("more bytes"));
}

TEST_F(IdxSource, AHeaderThatClaimsManyExamplesIsRefusedBeforeMemoryIsAllocated) {
  // 2^31 images of 1 x 3 exceed the maximum; 16 million are within it, but the file ends early.
  EXPECT_THAT(refusal_of_images(with(images_bytes, 4, 0x80)).what, HasSubstr("more than"));
  EXPECT_THAT(refusal_of_images(with(images_bytes, 4, 0x01)).what, HasSubstr("ends inside"));
}

TEST_F(IdxSource, DifferentCountsAreRefusedNamingBothFiles) {
  write_bytes(config_.labels, {0, 0, 8, 1, 0, 0, 0, 1, 4});
  const Error error = refusal();
  EXPECT_EQ(error.location, config_.labels.string());
  EXPECT_THAT(error.what, HasSubstr(config_.images.string()));
}

TEST_F(IdxSource, EmptyShardIsRefused) {
  write_bytes(config_.labels, {0, 0, 8, 1, 0, 0, 0, 0});
  EXPECT_THAT(refusal_of_images({0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3}).what,
              HasSubstr("no example"));
}

TEST_F(IdxSource, ImagesWithoutPixelsAreRefused) {
  EXPECT_THAT(refusal_of_images({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3}).what,
              HasSubstr("without pixels"));
}

}  // namespace
}  // namespace hansa::learning
