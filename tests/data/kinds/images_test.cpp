#include <algorithm>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>
#include <zlib.h>

#include "learning/data/kinds/images/augment.h"
#include "learning/data/kinds/images/decode.h"
#include "learning/data/kinds/images/orientation.h"
#include "learning/data/kinds/images/resize.h"
#include "learning/data/kinds/kinds.h"
#include "learning/data/kinds/open_files.h"
#include "learning/data/left_out.h"
#include "learning/hold_out.h"
#include "tests/data/kinds/image_files.h"
#include "tests/data/read_source.h"
#include "tests/temporary_folder.h"

namespace hansa::learning {
namespace {

using kinds::Pixels;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::Indices;
using ::testing::Not;
using testing::pattern;
using testing::plain;

std::uint64_t sum_of(const Pixels& image) {
  return std::accumulate(image.values.begin(), image.values.end(), std::uint64_t{0});
}
// Notices pixels in another order.
std::uint64_t checksum_of(const Pixels& image) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < image.values.size(); ++i) out += image.values[i] * (i % 251 + 1);
  return out;
}
std::vector<std::uint8_t> first(const Pixels& image, std::size_t count) {
  return {image.values.begin(), image.values.begin() + static_cast<std::ptrdiff_t>(count)};
}

// The numbers are those of Pillow 9.4 with the operations of torchvision's Resize and CenterCrop.
TEST(ImageResize, IsThatOfPillow) {
  const Pixels wide = kinds::resize_and_crop(pattern(23, 17), 8);
  EXPECT_THAT(first(wide, 12), ElementsAre(140, 151, 126, 129, 140, 129, 99, 110, 121, 130, 141, 108));
  EXPECT_EQ(sum_of(wide), 24593U);
  EXPECT_EQ(checksum_of(wide), 2379182U);
  const Pixels larger = kinds::resize_and_crop(pattern(5, 9), 8);
  EXPECT_THAT(first(larger, 12), ElementsAre(124, 135, 146, 145, 156, 167, 173, 184, 183, 201, 212, 91));
  EXPECT_EQ(checksum_of(larger), 2364205U);
  EXPECT_EQ(checksum_of(kinds::resize_and_crop(pattern(64, 48), 8)), 2345137U);
  const Pixels part = kinds::resample(pattern(40, 30), {3, 5, 30, 17}, {8, 8, 0, 0, 8});
  EXPECT_THAT(first(part, 6), ElementsAre(129, 118, 127, 117, 124, 135));
  EXPECT_EQ(sum_of(part), 24632U);
}

TEST(ImageResize, AnImageOfTheSizeIsNotChanged) {
  EXPECT_EQ(kinds::resize_and_crop(pattern(16, 16), 16).values, pattern(16, 16).values);
}

class ImageFiles : public ::testing::Test {
 protected:
  ImageFiles() {
    config_.kind = "images";
    config_.size = 8;
  }
  Result<Pixels> decode(Color color = Color::rgb, std::size_t side_min = 1'000) {
    const std::string bytes = testing::bytes_of_file(file_);
    return kinds::decode_image(std::as_bytes(std::span(bytes)), color, side_min, file_.string());
  }
  std::string refusal() {
    const auto decoded = decode();
    return decoded ? "was decoded" : decoded.error().text();
  }
  static Pixels cat() { return pattern(12, 9); }
  static Pixels dog() { return pattern(9, 12); }
  // Two classes: three images of cats, two of dogs.
  void photos() {
    config_.class_folders = folder_ / "photos";
    for (const char* name : {"cat/a.png", "cat/b.PNG", "cat/more/c.png", "dog/a.png", "dog/b.png"}) {
      std::filesystem::create_directories((config_.class_folders / name).parent_path());
      testing::write_png(config_.class_folders / name,
                         std::string_view(name).starts_with("cat") ? cat() : dog());
    }
    testing::write_bytes(config_.class_folders / "cat" / ".DS_Store", "x");
    testing::write_bytes(config_.class_folders / "dog" / "notes.txt", "x");
  }
  Result<std::unique_ptr<DataSource>> open() { return *open_optional_kind(config_); }
  std::string unopened() {
    const auto opened = open();
    return opened ? "was opened" : opened.error().text();
  }

  const TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "image";
  DataConfig config_;
};

TEST_F(ImageFiles, PngValuesAreThoseOfTheFile) {
  testing::write_png(file_, pattern(9, 8));
  EXPECT_EQ(decode().value().values, pattern(9, 8).values);
  const Pixels grey = decode(Color::grey).value();
  EXPECT_THAT(first(grey, 16),
              ElementsAre(9, 46, 83, 120, 157, 194, 231, 12, 49, 80, 122, 164, 206, 219, 34, 76))
      << "as Pillow converts to L";
  EXPECT_EQ(sum_of(grey), 9109U);
}

TEST_F(ImageFiles, PngOfSixteenBitsWithTransparencyIsReadAsEightBitsWithoutIt) {
  testing::write_deep_png(file_, 5, {65535, 32896, 257, 0});
  const Pixels image = decode().value();
  EXPECT_EQ(image.values, plain(5, 5, {255, 128, 1}).values);
}

TEST_F(ImageFiles, AGreyPngHasThreeEqualChannels) {
  testing::write_png(file_, plain(4, 4, {77}));
  EXPECT_EQ(decode().value().values, plain(4, 4, {77, 77, 77}).values);
}

TEST_F(ImageFiles, JpegIsDecodedUpright) {
  // Red above, blue below; the left half darker. What is seen is the same, however it is stored.
  Pixels upright{32, 16, 3, {}};
  for (std::size_t y = 0; y < 16; ++y)
    for (std::size_t x = 0; x < 32; ++x) {
      const std::uint8_t value = x < 16 ? 100 : 200;
      upright.values.insert(upright.values.end(),
                            {y < 8 ? value : std::uint8_t{0}, 0, y < 8 ? std::uint8_t{0} : value});
    }
  const std::array<int, 9> inverse{1, 1, 2, 3, 4, 5, 8, 7, 6};
  for (int orientation = 0; orientation <= 8; ++orientation) {
    testing::write_jpeg(file_, kinds::turned(upright, inverse[static_cast<std::size_t>(orientation)]),
                        orientation);
    const Pixels seen = decode().value();
    ASSERT_EQ(seen.width, 32U) << orientation;
    for (const auto& [x, y] : {std::pair{4, 3}, {27, 3}, {4, 12}, {27, 12}}) {
      const std::size_t at = (static_cast<std::size_t>(y) * 32 + static_cast<std::size_t>(x)) * 3;
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(seen.values[at + c], upright.values[at + c], 4) << orientation << ": " << x << ", " << y;
    }
  }
}

// The orientation is that of the pixels, which are exact here.
TEST_F(ImageFiles, PngIsTurnedAsItsExifChunkSaysWhereverItIs) {
  const Pixels upright = pattern(12, 7);
  const std::array<int, 9> inverse{1, 1, 2, 3, 4, 5, 8, 7, 6};
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const auto place : {testing::ExifPlace::before_pixels, testing::ExifPlace::behind_pixels}) {
      testing::write_png(file_, kinds::turned(upright, inverse[static_cast<std::size_t>(orientation)]));
      testing::add_png_orientation(file_, orientation, place);
      const Pixels seen = decode().value();
      EXPECT_EQ(seen.width, 12U) << orientation;
      EXPECT_EQ(seen.values, upright.values) << orientation;
    }
  testing::write_png(file_, upright);
  testing::add_png_orientation(file_, 9, testing::ExifPlace::before_pixels);
  EXPECT_EQ(decode().value().values, upright.values) << "9 is no orientation";
}

TEST_F(ImageFiles, ALargeJpegIsDecodedAtAFractionOfItsSize) {
  testing::write_jpeg(file_, plain(800, 600, {10, 100, 200}));
  const Pixels image = decode(Color::rgb, 64).value();
  EXPECT_EQ(image.width, 200U) << "at least twice the 64 pixels that are wanted";
  EXPECT_EQ(image.height, 150U);
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.values[c], std::vector({10, 100, 200})[c], 3);
}

TEST_F(ImageFiles, CmykJpegIsConverted) {
  testing::write_cmyk_jpeg(file_, 16, {255, 128, 0, 255});
  const Pixels image = decode().value();
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.values[c], std::vector({255, 128, 0})[c], 4);
}

// Each start of a file, and changed bytes: an error or an image, and no crash.
TEST_F(ImageFiles, DamageIsAnError) {
  for (const bool is_png : {true, false}) {
    if (is_png) testing::write_png(file_, pattern(20, 20));
    else testing::write_jpeg(file_, pattern(20, 20), 6);
    const std::string whole = testing::bytes_of_file(file_);
    for (std::size_t bytes = 0; bytes + 2 < whole.size(); bytes += 7) {
      testing::write_bytes(file_, whole.substr(0, bytes));
      EXPECT_THAT(refusal(), Not(HasSubstr("was decoded"))) << bytes << " of " << whole.size();
    }
    Random random(3);
    for (int i = 0; i < 500; ++i) {
      std::string changed = whole;
      for (int n = 0; n < 3; ++n)
        changed[random.below(changed.size())] = static_cast<char>(random.below(256));
      testing::write_bytes(file_, changed);
      if (const auto image = decode()) {
        EXPECT_EQ(image->values.size(), image->width * image->height * 3);
      }
    }
  }
  testing::write_bytes(file_, "GIF89a...");
  EXPECT_THAT(refusal(), HasSubstr("is neither a JPEG nor a PNG file; convert it, or remove it"));
  testing::write_bytes(file_, "");
  EXPECT_THAT(refusal(), HasSubstr("is empty"));
}

// What libjpeg only warns of, because a viewer shows the rest.
TEST_F(ImageFiles, AJpegOfWhichAPartIsMissingOrOverwrittenIsDamaged) {
  testing::write_jpeg(file_, pattern(64, 64));
  const std::string whole = testing::bytes_of_file(file_);
  testing::write_bytes(file_, whole.substr(0, whole.size() / 2) + "\xFF\xD9");
  EXPECT_THAT(refusal(), HasSubstr("is a damaged image"));
  std::string overwritten = whole;
  overwritten.replace(whole.size() / 2, 200, 200, '\0');
  testing::write_bytes(file_, overwritten);
  EXPECT_THAT(refusal(), HasSubstr("is a damaged image"));
}

TEST_F(ImageFiles, ASizeThatIsClaimedIsNotBelieved) {
  testing::write_png(file_, pattern(20, 20));
  std::string bytes = testing::bytes_of_file(file_);
  // The header has the length, "IHDR", width and height, five more bytes, and the checksum of all but the length.
  bytes.replace(16, 8, std::string("\x00\x03\x00\x00\x00\x03\x00\x00", 8));
  const auto checksum =
      static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const unsigned char*>(bytes.data()) + 12, 17));
  for (unsigned i = 0; i < 4; ++i) bytes[29 + i] = static_cast<char>(checksum >> (24 - 8 * i));
  testing::write_bytes(file_, bytes);
  EXPECT_THAT(refusal(), HasSubstr("says that it has 196608 x 196608 pixels"));
}

TEST_F(ImageFiles, AFolderForEachClass) {
  photos();
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 5U) << "without hidden files and other kinds of files";
  EXPECT_EQ((*source)->shape(), one_input({3, 8, 8}, class_target(2)));
  EXPECT_THAT((*source)->description().classes, ElementsAre("cat", "dog"));
  const Indices all = testing::all_of(**source);
  EXPECT_THAT(testing::read_targets<std::int64_t>(**source, all), ElementsAre(0, 0, 0, 1, 1));
  for (const std::uint32_t index : {0U, 4U}) {
    const Pixels expected = kinds::resize_and_crop(index == 0 ? cat() : dog(), 8);
    const std::vector<float> read = testing::read_inputs(**source, {index});
    for (std::size_t i = 0; i < 64; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_EQ(read[c * 64 + i], static_cast<float>(expected.values[i * 3 + c]) / 255.0F);
  }
}

TEST_F(ImageFiles, TheFirstExamplesAreOfAllClasses) {
  photos();
  config_.examples_max = 3;
  EXPECT_THAT(testing::read_targets<std::int64_t>(**open(), {0, 1, 2}), ElementsAre(0, 1, 0));
}

TEST_F(ImageFiles, ClassesDecideTheNumbersOfFolders) {
  photos();
  config_.classes = {"dog", "bird", "cat"};
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->shape().targets[0].class_count, 3);
  EXPECT_THAT(testing::read_targets<std::int64_t>(**source, testing::all_of(**source)),
              ElementsAre(2, 2, 2, 0, 0));
  config_.classes = {"dog", "cats"};
  EXPECT_THAT(unopened(),
              HasSubstr("photos/cat: is a folder of no class in data.classes; did you mean \"cats\"?"));
}

TEST_F(ImageFiles, ATableOfFiles) {
  photos();
  config_.class_folders.clear();
  config_.file = folder_ / "table.csv";
  config_.classes = {"cat", "dog"};
  const auto table = [&](const std::string& rows) {
    testing::write_bytes(config_.file, "file,label\n" + rows);
  };
  table("photos/dog/a.png,dog\n\"photos/cat/a.png\",cat\n");
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT(testing::read_targets<std::int64_t>(**source, {0, 1}), ElementsAre(1, 0));
  table("photos/dog/a.png,dog\n../secret.png,cat\n");
  EXPECT_THAT(unopened(), HasSubstr("table.csv:3: has the path \"../secret.png\""));
  table("photos/dog/a.png,wolf\n");
  EXPECT_THAT(unopened(), HasSubstr("table.csv:2: label: is \"wolf\", which is not in data.classes"));
  table("photos/dog/none.png,dog\n");
  EXPECT_THAT(unopened(), HasSubstr("none.png: cannot be opened"));
  table("");
  EXPECT_THAT(unopened(), HasSubstr("names no file"));
  config_.classes.clear();
  table("photos/dog/a.png,-1\n");
  EXPECT_THAT(unopened(), HasSubstr("but a class is a whole number from 0"));
  config_.label = "kind";
  EXPECT_THAT(unopened(), HasSubstr("has no column \"kind\""));
}

TEST_F(ImageFiles, AFileThatIsNoImageIsLeftOutIfSomeMayBeDamaged) {
  photos();
  const auto damage = [&](const char* name, const char* bytes) {
    testing::write_bytes(config_.class_folders / name, bytes);
  };
  damage("cat/a.png", "no image");
  EXPECT_THAT(unopened(), HasSubstr("cat/a.png: is neither a JPEG nor a PNG file"));
  config_.damaged_max = 0.01;  // one file always may
  auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 4U);
  EXPECT_THAT(testing::read_targets<std::int64_t>(**source, testing::all_of(**source)),
              ElementsAre(0, 0, 1, 1));
  EXPECT_EQ((*source)->damaged_files_max(), 0U);
  ASSERT_EQ((*source)->left_out().size(), 1U);
  const auto notes = notes_of(**source);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0].text(),
              AllOf(HasSubstr("photos: 1 file is damaged and left out: "),
                    HasSubstr("cat/a.png (is neither a JPEG nor a PNG file); copy them again, or remove")));
  EXPECT_EQ(notes[0].reason.code, ReasonCode::record_skipped);
  EXPECT_EQ(notes[0].reason.number(Quantity::count), 1U);

  damage("dog/b.png", "");
  EXPECT_THAT(unopened(), AllOf(HasSubstr("cat/a.png: 2 files are damaged, and data.damaged_max allows 1: "),
                                HasSubstr("dog/b.png (is empty)")));
  config_.damaged_max = 0.5;
  source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT(testing::read_targets<std::int64_t>(**source, testing::all_of(**source)), ElementsAre(0, 0, 1));
}

TEST_F(ImageFiles, AllFilesBeingDamagedIsAnErrorHoweverManyMayBe) {
  photos();
  config_.damaged_max = 0.5;
  for (const char* name : {"cat/a.png", "cat/b.PNG", "cat/more/c.png", "dog/a.png", "dog/b.png"})
    testing::write_bytes(config_.class_folders / name, "x");
  EXPECT_THAT(unopened(), HasSubstr("3 files are damaged, and data.damaged_max allows 2"));
}

// The first image is decoded when the data is opened; damage behind the first bytes of another one is found later.
TEST_F(ImageFiles, AFirstImageThatCannotBeDecodedIsLeftOutToo) {
  photos();
  const auto path = config_.class_folders / "cat" / "a.png";
  testing::write_bytes(path, testing::bytes_of_file(path).substr(0, 60));
  EXPECT_THAT(unopened(), HasSubstr("cat/a.png: is a damaged image"));
  config_.damaged_max = 0.01;
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 4U);
}

TEST_F(ImageFiles, ADamagedFileIsNamedWhenItIsRead) {
  photos();
  const auto path = config_.class_folders / "dog" / "b.png";
  testing::write_bytes(path, testing::bytes_of_file(path).substr(0, 60));
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  const auto read = read_tensor<float>(**source, 0, Indices{4});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text(), HasSubstr("dog/b.png: is a damaged image"));
  EXPECT_EQ(read.error().reason.code, ReasonCode::example_invalid);
  EXPECT_TRUE(read_tensor<std::int64_t>(**source, 1, Indices{4})) << "its label is known";
}

TEST_F(ImageFiles, WhatCannotBeRightIsRefused) {
  config_.class_folders = folder_ / "none";
  EXPECT_THAT(unopened(), HasSubstr("cannot be read"));
  std::filesystem::create_directories(config_.class_folders / "cat");
  EXPECT_THAT(unopened(),
              HasSubstr("has no file in the folders of its classes whose name ends with .jpg, .jpeg, .png"));
  testing::write_bytes(config_.class_folders / "cat" / "a.png", "text");
  EXPECT_THAT(unopened(), HasSubstr("a.png: is neither a JPEG nor a PNG file")) << "when it is opened";
}

TEST_F(ImageFiles, TheSameSeedGivesTheSameChangesAndOnlyTrainingHasThem) {
  photos();
  config_.augment = {"flip", "crop", "jitter"};
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  const auto augmented = [&](std::uint64_t seed) {
    std::vector<float> out(3 * 192);
    const std::vector<TensorBytes> tensors{std::as_writable_bytes(std::span(out)), {}};
    const Indices indices{0, 1, 2};
    EXPECT_TRUE((*source)->read_augmented(indices, tensors, seed));
    return out;
  };
  const std::vector<float> once = augmented(1);
  EXPECT_EQ(augmented(1), once);
  EXPECT_NE(augmented(2), once);
  EXPECT_THAT(once, Each(AllOf(::testing::Ge(0.0F), ::testing::Le(1.0F))));
  EXPECT_FALSE(std::equal(once.begin(), once.begin() + 192, once.begin() + 192))
      << "two examples with the same image are changed in different ways";
  config_.augment.clear();
  EXPECT_EQ(testing::read_inputs(**source, {0}), testing::read_inputs(**open(), {0}));
}

TEST_F(ImageFiles, ACropLiesWithinTheImageAndAFlipMirrors) {
  Random random(5);
  const Pixels image = pattern(31, 17);
  int mirrored = 0;
  for (int i = 0; i < 200; ++i) {
    const Pixels out = kinds::augmented_crop(plain(31, 17, {9, 8, 7}), 8, {true, true, false}, random);
    EXPECT_EQ(out.values, plain(8, 8, {9, 8, 7}).values);
    const Pixels flipped = kinds::augmented_crop(image, 8, {true, false, false}, random);
    mirrored += flipped.values == kinds::resize_and_crop(image, 8).values ? 0 : 1;
  }
  EXPECT_GT(mirrored, 60);
  EXPECT_LT(mirrored, 140);
}

TEST_F(ImageFiles, AnExampleIsKnownByItsNameWithoutDecodingIt) {
  photos();
  const auto path = config_.class_folders / "dog" / "b.png";
  testing::write_bytes(path, testing::bytes_of_file(path).substr(0, 60));
  const auto source = open();
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_NE((*source)->identity(3), (*source)->identity(4));
  EXPECT_TRUE(split_examples(**source, 0.2, 7)) << "no image is decoded";
}

TEST_F(ImageFiles, OpenFilesAreBounded) {
  photos();
  kinds::OpenFiles files(1);
  ASSERT_TRUE(files.add(config_.class_folders / "cat" / "a.png", 1 << 20));
  EXPECT_EQ(files.read(0, "a").value().size(), files.file_bytes(0));
  const std::uint64_t of_the_first = files.memory_bytes();
  ASSERT_TRUE(files.add(config_.class_folders / "dog" / "a.png", 1 << 20));
  EXPECT_GT(files.memory_bytes(), of_the_first + files.file_bytes(1)) << "no descriptor is left for it";
  const std::string content = testing::bytes_of_file(config_.class_folders / "dog" / "a.png");
  std::filesystem::remove(config_.class_folders / "dog" / "a.png");
  EXPECT_THAT(files.read(1, "a").value(), ElementsAreArray(std::as_bytes(std::span(content))));
  EXPECT_THAT(files.add(config_.class_folders / "cat" / "a.png", 10).error().text(),
              HasSubstr("are the most"));
  EXPECT_THAT(files.add(config_.class_folders, 10).error().text(), HasSubstr("is not a file"));
}

}  // namespace
}  // namespace hansa::learning
