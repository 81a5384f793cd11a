#include "learning/data/kinds/audio/sound_file.h"

#include <limits>

#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/kinds/sound_files.h"

namespace hansa::learning::kinds {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::ramp;
using testing::Sound;
using testing::write_sound;

class SoundFileTest : public ::testing::Test {
 protected:
  Result<SoundFile> open(std::size_t descriptors = 10) {
    files_ = OpenFiles(descriptors);
    if (const auto added = files_.add(path_, 1 << 30); !added) return tl::unexpected(added.error());
    return SoundFile::open(files_, 0, path_);
  }
  std::vector<float> read(std::uint64_t first, std::size_t count, std::size_t descriptors = 10) {
    auto file = open(descriptors);
    if (!file) throw std::runtime_error(file.error().text());
    std::vector<float> out(count);
    if (const auto done = file->read(first, out); !done) throw std::runtime_error(done.error().text());
    return out;
  }
  std::string refusal(std::uint64_t first, std::size_t count) {
    auto file = open();
    if (!file) return testing::text_below(folder_.path(), file.error());
    std::vector<float> out(count);
    const auto done = file->read(first, out);
    return done ? "was read" : testing::text_below(folder_.path(), done.error());
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "a.wav";
  OpenFiles files_;
};

TEST_F(SoundFileTest, WavAndFlacAreReadFromAnySampleOnFromTheFileOrFromMemory) {
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_FLOAT,
                           SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_24}) {
    write_sound(path_, {ramp(30'000), 8'000, 1, format});
    EXPECT_EQ(open()->format(), (SoundFormat{8'000, 1, 30'000}));
    for (const std::size_t descriptors : {10U, 0U}) {
      EXPECT_THAT(read(0, 3, descriptors), ElementsAre(0, 1 / 32'768.0F, 2 / 32'768.0F));
      EXPECT_EQ(read(12'345, 17'655, descriptors), ramp(17'655, 12'345)) << format;
    }
  }
}

TEST_F(SoundFileTest, ReadingMayGoBackAndForth) {
  write_sound(path_, {ramp(30'000), 8'000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  auto file = open().value();
  std::vector<float> out(100);
  for (const int first : {20'000, 20'100, 0, 29'900, 5}) {
    ASSERT_TRUE(file.read(static_cast<std::uint64_t>(first), out));
    EXPECT_EQ(out, ramp(100, first));
  }
}

TEST_F(SoundFileTest, ChannelsAreAveraged) {
  std::vector<float> values;
  for (int i = 0; i < 20'000; ++i)
    for (const int value : {i, 3 * i % 1'000}) values.push_back(static_cast<float>(value) / 32'768.0F);
  write_sound(path_, {values, 8'000, 2});
  EXPECT_EQ(open()->format(), (SoundFormat{8'000, 2, 20'000}));
  const auto mono = read(100, 19'900);
  for (int i = 100; i < 20'000; ++i)
    ASSERT_FLOAT_EQ(mono[static_cast<std::size_t>(i - 100)],
                    static_cast<float>(i + 3 * i % 1'000) / 65'536.0F)
        << i;
}

TEST_F(SoundFileTest, WhatIsNoSoundIsRefused) {
  for (const char* content : {"", "the pump runs", "RIFF\x24\x00\x00\x00WAVE"}) {
    testing::write_text(path_, content);
    EXPECT_THAT(refusal(0, 1), HasSubstr("a.wav: is no sound that can be read (")) << content;
  }
  write_sound(path_, {{}, 8'000});
  EXPECT_THAT(refusal(0, 1), HasSubstr("a.wav: has no sample"));
}

TEST_F(SoundFileTest, SamplesThatTheFileClaimsAndDoesNotHaveAreAnError) {
  write_sound(path_, {ramp(60'000), 8'000, 1, SF_FORMAT_FLAC | SF_FORMAT_PCM_16});
  auto bytes = testing::read_bytes(path_);
  bytes.resize(bytes.size() / 2);
  testing::write_bytes(path_, bytes);
  EXPECT_THAT(refusal(0, 60'000), HasSubstr("a.wav: cannot be decoded at sample "));
  EXPECT_THAT(refusal(59'000, 1'000), HasSubstr("a.wav: cannot be decoded at sample "));
  EXPECT_EQ(refusal(0, 100), "was read");
}

TEST_F(SoundFileTest, ASampleThatIsNoNumberIsRefused) {
  Sound sound{ramp(100), 8'000, 1, SF_FORMAT_WAV | SF_FORMAT_FLOAT};
  sound.values[70] = std::numeric_limits<float>::quiet_NaN();
  write_sound(path_, sound);
  EXPECT_EQ(refusal(0, 70), "was read");
  EXPECT_THAT(refusal(50, 50), HasSubstr("a.wav: has a sample that is no number at 70"));
}

// The file may come from others: each damage gives samples or an error.
TEST_F(SoundFileTest, DamageIsAnErrorOrOtherSamples) {
  for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
                           SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, SF_FORMAT_OGG | SF_FORMAT_VORBIS}) {
    write_sound(path_, {testing::tone(4'000, 440, 8'000), 8'000, 1, format});
    const auto bytes = testing::read_bytes(path_);
    for (std::size_t i = 0; i < 200; ++i) {
      auto damaged = bytes;
      damaged[i * 7919 % std::min<std::size_t>(bytes.size(), 128)] ^=
          static_cast<std::uint8_t>(1 + i * 31 % 255);
      damaged[i * 104'729 % bytes.size()] ^= static_cast<std::uint8_t>(1 + i % 255);
      testing::write_bytes(path_, damaged);
      (void)refusal(0, 4'000);
      (void)refusal(3'000, 500);
    }
  }
}

}  // namespace
}  // namespace hansa::learning::kinds
