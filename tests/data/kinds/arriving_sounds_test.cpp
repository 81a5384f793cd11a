// Sounds that arrive as files, with their real decoders.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/data/following.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/kinds/sound_files.h"

namespace hansa::learning {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArrivingSounds : public testing::Following {
 protected:
  void SetUp() override {
    data_.kind = "audio";
    data_.class_folders = folder_ / "sounds";
    data_.classes = {"ok", "worn"};
    data_.window = 100;
    data_.stride = 100;
    data_.rate = 16'000;
    follow_.from = FollowFrom::folder;
    follow_.folder = data_.class_folders;
    open_ = testing::try_open_kind;
  }
  void write(const std::string& name, const testing::Sound& sound, int hours_ago) const {
    testing::write_sound(data_.class_folders / name, sound);
    std::filesystem::last_write_time(
        data_.class_folders / name,
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours_ago));
  }
};

TEST_F(ArrivingSounds, EachWindowOfAFileIsAnExampleAndAFileOfAnotherRateHasNone) {
  write("worn/a.wav", {testing::ramp(250)}, 3);
  write("ok/b.wav", {testing::ramp(300, 1'000)}, 2);
  write("ok/slow.wav", {testing::ramp(100), 8'000}, 1);
  EXPECT_EQ(take(), (Labels{1, 1, 0, 0, 0}));
  ASSERT_THAT(inputs_, SizeIs(500));
  EXPECT_EQ(inputs_[100], 100 / 32'768.0F);
  EXPECT_EQ(inputs_[200], 1'000 / 32'768.0F);
  EXPECT_EQ(records_, 3U) << "files";
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("ok/slow.wav (has 8000 Hz, but data.rate is 16000)")));
  EXPECT_THAT(take(), SizeIs(0));
}

}  // namespace
}  // namespace hansa::learning
