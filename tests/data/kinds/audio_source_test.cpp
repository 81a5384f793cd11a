// Kind "audio": classes, windows, features, and errors.
#include <cmath>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "learning/data/kinds/audio/log_mel.h"
#include "learning/data/kinds/audio/sound_windows.h"
#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/kinds/sound_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::open_kind;
using testing::ramp;
using testing::read_inputs;
using testing::read_targets;
using testing::write_sound;

class AudioSource : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.kind = "audio";
    config_.class_folders = folder_ / "sounds";
    config_.window = 100;
    config_.stride = 100;
  }
  std::string refusal() { return testing::refusal_of(config_, folder_.path()); }
  std::vector<std::int64_t> labels() {
    const auto source = open_kind(config_);
    return read_targets<std::int64_t>(*source, all_of(*source));
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path sounds_ = folder_ / "sounds";
  DataConfig config_;
};

TEST_F(AudioSource, AFolderIsAClassAndWindowsAreTakenInEachFile) {
  write_sound(sounds_ / "hum" / "b.wav", {ramp(250, 1'000)});
  write_sound(sounds_ / "hum" / "a.flac", {ramp(100), 16'000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  write_sound(sounds_ / "bang" / "c.WAV", {ramp(300, 2'000)});
  testing::write_text(sounds_ / "hum" / "notes.txt", "no sound");
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs), "`x`: float32 [1, 100]");
  EXPECT_EQ(source->shape().targets[0], class_target(2));
  EXPECT_THAT(source->description().classes, ElementsAre("bang", "hum"));
  EXPECT_TRUE(source->decodes());
  ASSERT_EQ(source->example_count(), 6U);
  EXPECT_THAT(labels(), ElementsAre(0, 0, 0, 1, 1, 1));
  const auto example = [&](std::uint32_t index) { return read_inputs(*source, {index}); };
  EXPECT_EQ(example(0), ramp(100, 2'000));
  EXPECT_EQ(example(2), ramp(100, 2'200));
  EXPECT_EQ(example(3), ramp(100));
  EXPECT_EQ(example(5), ramp(100, 1'100)) << "the last 50 samples fill no window";
}

TEST_F(AudioSource, TheStrideIsTheDistanceBetweenWindows) {
  config_.stride = 30;
  write_sound(sounds_ / "a" / "a.wav", {ramp(190)});
  const auto source = open_kind(config_);
  ASSERT_EQ(source->example_count(), 4U);
  EXPECT_EQ(read_inputs(*source, {3}), ramp(100, 90));
}

TEST_F(AudioSource, AFileThatIsShorterThanAWindowIsFollowedByZeros) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(60, 5)});
  const auto source = open_kind(config_);
  ASSERT_EQ(source->example_count(), 1U);
  auto expected = ramp(60, 5);
  expected.resize(100);
  EXPECT_EQ(read_inputs(*source, {0}), expected);
}

TEST_F(AudioSource, ATableNamesFilesAndLabels) {
  write_sound(folder_ / "x" / "a.wav", {ramp(100)});
  write_sound(folder_ / "x" / "b.wav", {ramp(200, 500)});
  testing::write_text(folder_ / "table.csv", "kind,path\nyes,x/b.wav\nno,x/a.wav\n");
  config_.class_folders = "";
  config_.file = folder_ / "table.csv";
  config_.columns = {"path"};
  config_.label = "kind";
  config_.classes = {"no", "yes", "unsure"};
  EXPECT_THAT(labels(), ElementsAre(1, 1, 0));
  const auto source = open_kind(config_);
  EXPECT_EQ(source->shape().targets[0].class_count, 3);
  EXPECT_EQ(read_inputs(*source, {1}), ramp(100, 600));
  EXPECT_EQ(source->location(), config_.file.string());
}

TEST_F(AudioSource, LogMelIsComputedFromTheWindow) {
  write_sound(sounds_ / "a" / "a.wav", {testing::tone(3'200, 440, 16'000)});
  config_.window = config_.stride = 1'600;
  const auto wave = read_inputs(*open_kind(config_), {1});
  config_.features = AudioFeatures::log_mel;
  config_.mels = 20;
  const auto source = open_kind(config_);
  EXPECT_EQ(text_of(source->shape().inputs), "`x`: float32 [1, 20, 8]");
  const kinds::LogMel mel(16'000, 1'600, 20);
  kinds::LogMel::Workspace workspace(mel);
  std::vector<float> expected(160);
  mel.compute(wave, workspace, expected);
  EXPECT_EQ(read_inputs(*source, {1}), expected);
  config_.window = 399;
  EXPECT_THAT(refusal(),
              HasSubstr("data.window: is 399, but log-mel takes at least 25 ms, 400 samples at 16000 Hz"));
}

TEST_F(AudioSource, AllFilesHaveTheSameRate) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(100), 16'000});
  write_sound(sounds_ / "a" / "b.wav", {ramp(100), 8'000});
  EXPECT_THAT(
      refusal(),
      HasSubstr("sounds/a/b.wav: has 8000 Hz, but the first file, a/a.wav, has 16000; convert it: "
                "ffmpeg -i IN -ar 16000 OUT, or sox IN -r 16000 OUT; and set data.rate, the same on all "
                "clients"));
  EXPECT_EQ(testing::reason_of(config_).code, ReasonCode::example_invalid);
  config_.rate = 8'000;
  EXPECT_THAT(refusal(), HasSubstr("sounds/a/a.wav: has 16000 Hz, but data.rate is 8000"));
}

TEST_F(AudioSource, RateAndFeaturesArePartOfTheSchema) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(2'000), 16'000});
  config_.window = config_.stride = 800;
  const DataDescription wave = open_kind(config_)->description();
  EXPECT_EQ(wave.preparation, "16000 Hz, wave");
  write_sound(sounds_ / "a" / "a.wav", {ramp(2'000), 8'000});
  EXPECT_NE(schema_digest(open_kind(config_)->description()), schema_digest(wave));
  config_.features = AudioFeatures::log_mel;
  EXPECT_EQ(open_kind(config_)->description().preparation, "8000 Hz, log-mel");
}

TEST_F(AudioSource, ExamplesMaxTakesTheFirstWindowsAndOpensNoMoreFiles) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(300)});
  testing::write_text(sounds_ / "a" / "b.wav", "no sound");
  config_.examples_max = 2;
  EXPECT_EQ(open_kind(config_)->example_count(), 2U);
  config_.examples_max = 4;
  EXPECT_THAT(refusal(), HasSubstr("sounds/a/b.wav: is no sound that can be read"));
}

TEST_F(AudioSource, AFileThatIsNoSoundIsLeftOutIfSomeMayBeDamaged) {
  write_sound(sounds_ / "a" / "b.wav", {ramp(300)});
  write_sound(sounds_ / "b" / "a.wav", {ramp(200)});
  testing::write_text(sounds_ / "a" / "a.wav", "no sound");
  EXPECT_THAT(refusal(), HasSubstr("sounds/a/a.wav: is no sound that can be read"));
  config_.damaged_max = 0.01;
  const auto source = open_kind(config_);
  EXPECT_THAT(labels(), ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(read_inputs(*source, {3}), ramp(100));
  EXPECT_EQ(*source->identity(3), sha256("b/a.wav"));
  ASSERT_EQ(source->left_out().size(), 1U);
  EXPECT_THAT(source->left_out()[0].location, HasSubstr("sounds/a/a.wav"));
  EXPECT_EQ(source->damaged_files_max(), 0U);
  testing::write_text(sounds_ / "b" / "b.wav", "no sound");
  EXPECT_THAT(refusal(), HasSubstr("2 files are damaged, and data.damaged_max allows 1"));
}

TEST_F(AudioSource, AnExampleIsIdentifiedByItsFile) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(300)});
  write_sound(sounds_ / "a" / "b.wav", {ramp(300)});
  const auto source = open_kind(config_);
  std::set<Digest> identities;
  for (const std::uint32_t index : all_of(*source)) identities.insert(*source->identity(index));
  EXPECT_EQ(identities.size(), 2U) << "windows of one recording are on the same side";
  EXPECT_EQ(*source->identity(4), sha256("a/b.wav"));
  // Another file in front does not change it.
  write_sound(sounds_ / "a" / "0.wav", {ramp(300)});
  EXPECT_EQ(*open_kind(config_)->identity(7), *source->identity(4));
}

// After a trainer has locked itself it can open no file.
TEST_F(AudioSource, FilesAreReadAfterTheirNamesAreGone) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(200)});
  write_sound(sounds_ / "b" / "b.flac", {ramp(200, 700), 16'000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  const auto source = open_kind(config_);
  std::filesystem::remove_all(sounds_);
  EXPECT_EQ(read_inputs(*source, {1}), ramp(100, 100));
  EXPECT_EQ(read_inputs(*source, {3}), ramp(100, 800));
}

TEST_F(AudioSource, AFileThatWasChangedIsAnErrorWithItsExample) {
  write_sound(sounds_ / "a" / "a.wav", {ramp(200)});
  write_sound(sounds_ / "a" / "b.wav", {ramp(200)});
  const auto source = open_kind(config_);
  const auto path = sounds_ / "a" / "b.wav";
  auto bytes = testing::read_bytes(path);
  bytes.resize(100);
  testing::write_bytes(path, bytes);
  const auto read = read_tensor<float>(*source, 0, testing::Indices{0, 3});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text(), HasSubstr("b.wav: "));
  EXPECT_EQ(read.error().reason.code, ReasonCode::example_invalid);
  EXPECT_EQ(read.error().reason.number(Quantity::example), 3U);
}

TEST_F(AudioSource, ThreadsMayReadConcurrently) {
  for (int i = 0; i < 4; ++i)
    write_sound(sounds_ / "a" / (std::to_string(i) + ".flac"),
                {ramp(1'000, 1'000 * i), 16'000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  const auto source = open_kind(config_);
  ASSERT_EQ(source->example_count(), 40U);
  std::vector<std::jthread> threads;
  for (std::uint32_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&source, thread] {
      for (std::uint32_t i = 0; i < 200; ++i) {
        const std::uint32_t index = (i * 7 + thread) % 40;
        EXPECT_EQ(read_inputs(*source, {index}), ramp(100, static_cast<int>(100 * index)));
      }
    });
}

TEST_F(AudioSource, WindowsAreCountedByFile) {
  kinds::SoundWindows windows(10, 4);
  for (const std::uint64_t samples : {1U, 10U, 13U, 14U, 22U}) windows.add_file(samples);
  ASSERT_EQ(windows.size(), 1U + 1 + 1 + 2 + 4);
  EXPECT_EQ(windows[2].file, 2U);
  EXPECT_EQ(windows[4].file, 3U);
  EXPECT_EQ(windows[4].first, 4U);
  EXPECT_EQ(windows[8].file, 4U);
  EXPECT_EQ(windows[8].first, 12U);
}

}  // namespace
}  // namespace hansa::learning
