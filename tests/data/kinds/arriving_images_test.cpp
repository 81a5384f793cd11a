// Images that arrive as files, with their real decoders.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/data/following.h"
#include "tests/data/kinds/image_files.h"
#include "tests/data/kinds/open_kind.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArrivingImages : public testing::Following {
 protected:
  void SetUp() override {
    data_.kind = "images";
    data_.class_folders = folder_ / "photos";
    data_.classes = {"crack", "rust"};
    data_.color = Color::grey;
    data_.size = 8;
    follow_.from = FollowFrom::folder;
    follow_.folder = data_.class_folders;
    open_ = testing::try_open_kind;
    for (const std::string& name : data_.classes)
      std::filesystem::create_directories(data_.class_folders / name);
  }
  // As if the file was written an hour ago and renamed into place.
  void make_old(const std::filesystem::path& path) const {
    std::filesystem::last_write_time(path,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  }
};

TEST_F(ArrivingImages, AreDecodedAndDamagedOnesAreCounted) {
  const auto photo = [&](const char* name) { return data_.class_folders / name; };
  testing::write_png(photo("rust/a.png"), testing::plain(10, 12, {255, 255, 255}));
  testing::write_jpeg(photo("crack/b.jpg"), testing::plain(16, 8, {0, 0, 0}));
  testing::write_png(photo("rust/whole.png"), testing::pattern(64, 64));
  const std::string bytes = testing::bytes_of_file(photo("rust/whole.png"));
  testing::write_bytes(photo("rust/cut.png"), bytes.substr(0, bytes.size() / 2));
  testing::write_bytes(photo("rust/text.png"), "no image");
  for (const char* name : {"rust/a.png", "crack/b.jpg", "rust/whole.png", "rust/cut.png", "rust/text.png"})
    make_old(photo(name));
  Labels labels = take();
  EXPECT_THAT(labels, ::testing::UnorderedElementsAre(0, 1, 1));
  EXPECT_THAT(inputs_, SizeIs(3 * 64));
  EXPECT_EQ(records_, 5U);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0], AllOf(HasSubstr("2 files are damaged and skipped"), HasSubstr("cut.png"),
                               HasSubstr("text.png (is neither a JPEG nor a PNG file)")));
  EXPECT_THAT(description_->inputs[0].shape, ElementsAre(1, 8, 8));
  restart();
  EXPECT_THAT(take(), SizeIs(0));
}

}  // namespace
}  // namespace hansa::learning
