// Images and sounds that arrive as files: each is taken once, when it is complete.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "learning/data/follow/labelled_feed.h"
#include "tests/data/digit_files.h"
#include "tests/data/following.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LabelledFeed : public testing::Following {
 protected:
  void SetUp() override {
    data_.kind = "images";
    data_.class_folders = folder_ / "photos";
    data_.classes = {"crack", "rust"};
    data_.size = 8;
    follow_.from = FollowFrom::folder;
    follow_.folder = data_.class_folders;
    open_ = [this](const DataConfig& config) {
      ++opened_;
      return testing::open_digits(config);
    };
    std::filesystem::create_directories(data_.class_folders / "rust" / "side");
    std::filesystem::create_directories(data_.class_folders / "crack");
  }
  // Creates a feed whose clock is now_s_.
  void restart() {
    feed_.reset();
    feed_ = std::make_unique<internal::LabelledFeed>(data_, follow_, known(), open_,
                                                     [this] { return now_s_ * 1'000'000'000; });
  }
  // Notes and error are those of the last call.
  Labels take(std::uint64_t records_max = 1'000) {
    notes_.clear();
    error_.clear();
    if (!feed_) restart();
    return Following::take(records_max);
  }
  // Writes a file, which was last modified at the time `at_s`.
  void write(const std::string& name, const std::string& text, std::int64_t at_s) const {
    const std::filesystem::path path = data_.class_folders / name;
    std::ofstream(path) << text;
    std::filesystem::last_write_time(
        path, std::chrono::file_clock::from_sys(std::chrono::sys_time(std::chrono::seconds(at_s))));
  }

  std::int64_t now_s_ = 1'800'000'000;
  int opened_ = 0;
};

TEST_F(LabelledFeed, NewFilesOfEachClassAreTakenOnceInTheOrderOfTheirTimes) {
  write("rust/b.png", "1", now_s_ - 30);
  write("crack/c.PNG", "2", now_s_ - 20);
  write("rust/side/a.jpg", "3", now_s_ - 10);
  write("rust/notes.txt", "4", now_s_ - 10);
  write("rust/.b.png", "5", now_s_ - 10);
  EXPECT_EQ(take(), (Labels{1, 0, 1}));
  EXPECT_THAT(inputs_, ElementsAre(1, 2, 3));
  EXPECT_EQ(records_, 3U);
  EXPECT_EQ(opened_, 1) << "they are decoded together";
  EXPECT_THAT(description_->classes, ElementsAre("crack", "rust"));
  EXPECT_EQ(description_->class_count, 2U);
  write("crack/d.png", "6", now_s_ - 40);  // older than what was taken: it was moved here
  EXPECT_EQ(take(), (Labels{0}));
  restart();
  EXPECT_THAT(take(), IsEmpty());
  std::filesystem::remove(data_.class_folders / "rust" / "b.png");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty()) << "it was read";
}

TEST_F(LabelledFeed, AnotherFileUnderAKnownNameIsNew) {
  write("rust/a.png", "1", now_s_ - 30);
  EXPECT_EQ(take(), (Labels{1}));
  write("rust/a.png", "2", now_s_ - 20);
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_THAT(inputs_, ElementsAre(1, 2));
}

TEST_F(LabelledFeed, AFileIsTakenWhenItDoesNotChangeAnyMore) {
  write("rust/a.png", "1", now_s_);
  EXPECT_THAT(take(), IsEmpty());
  now_s_ += 1;
  EXPECT_THAT(take(), IsEmpty());
  write("rust/a.png", "12", now_s_);
  now_s_ += 1;
  EXPECT_THAT(take(), IsEmpty()) << "it was written to a second ago";
  now_s_ += 1;
  EXPECT_EQ(take(), (Labels{1, 1}));
}

TEST_F(LabelledFeed, AFileWithATimeInTheFutureIsTakenWhenItDoesNotChangeBetweenLooks) {
  write("rust/a.png", "1", now_s_ + 100'000);
  EXPECT_THAT(take(), IsEmpty());
  now_s_ += 2;
  EXPECT_EQ(take(), (Labels{1}));
}

TEST_F(LabelledFeed, AFileThatChangesWhileItIsReadIsReadAgain) {
  write("rust/a.png", "1", now_s_ - 30);
  open_ = [this](const DataConfig& config) {
    auto source = testing::open_digits(config);
    if (opened_++ == 0) write("rust/a.png", "23", now_s_ - 10);
    return source;
  };
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_EQ(take(), (Labels{1, 1}));
  EXPECT_THAT(inputs_, ElementsAre(2, 3));
}

TEST_F(LabelledFeed, DamagedFilesAreCountedAndReportedOnceAlsoAfterARestart) {
  write("rust/a.png", "1", now_s_ - 30);
  write("rust/b.png", "x", now_s_ - 20);
  write("rust/c.png", "", now_s_ - 20);
  write("crack/d.png", "2", now_s_ - 10);
  EXPECT_EQ(take(), (Labels{1, 0}));
  EXPECT_EQ(records_, 4U);
  ASSERT_THAT(notes_, SizeIs(1));
  EXPECT_THAT(notes_[0],
              AllOf(HasSubstr("photos: 2 files are damaged and skipped: "),
                    HasSubstr("rust/b.png (is no number), "), HasSubstr("rust/c.png (is no number)")));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  restart();
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  write("rust/b.png", "3", now_s_ - 5);
  EXPECT_EQ(take(), (Labels{1})) << "it was replaced by a whole one";
}

TEST_F(LabelledFeed, AFileThatCrashesItsReaderOrHasAnotherRateIsSkipped) {
  write("rust/a.png", "1", now_s_ - 30);
  write("rust/b.png", "crash", now_s_ - 20);
  write("rust/c.png", "rate", now_s_ - 15);
  write("crack/d.png", "2", now_s_ - 10);
  EXPECT_EQ(take(), (Labels{1, 0}));
  EXPECT_EQ(records_, 2U);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("rust/b.png: has ended"), HasSubstr("rust/c.png: has 8000 Hz")));
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(LabelledFeed, AFileThatIsGoneBeforeItWasReadIsReported) {
  write("rust/a.png", "1", now_s_);
  EXPECT_THAT(take(), IsEmpty());
  std::filesystem::remove(data_.class_folders / "rust" / "a.png");
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("1 file was removed before it was read: a.png")));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(LabelledFeed, FurtherFilesWaitIfThereIsNoRoom) {
  for (int i = 0; i < 5; ++i) write("rust/" + std::to_string(i) + ".png", std::to_string(i), now_s_ - 30 + i);
  restart();
  const auto arrival = feed_->next(2);
  ASSERT_TRUE(arrival && *arrival);
  EXPECT_EQ(store(**arrival), (Labels{1}));
  restart();
  EXPECT_EQ(take(2), (Labels{1, 1, 1, 1}));
  EXPECT_THAT(inputs_, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(LabelledFeed, ConsumedFilesAreRemovedIfConfiguredAlsoAfterACrash) {
  follow_.consumed_files = ConsumedFiles::remove;
  write("rust/a.png", "1", now_s_ - 30);
  write("rust/b.png", "2", now_s_ - 20);
  restart();
  const auto arrival = feed_->next(1);
  ASSERT_TRUE(arrival && *arrival);
  positions_[(*arrival)->source] = (*arrival)->position;  // then the client crashes
  restart();
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_THAT(inputs_, ElementsAre(2));
  EXPECT_FALSE(std::filesystem::exists(data_.class_folders / "rust" / "a.png"));
  EXPECT_FALSE(std::filesystem::exists(data_.class_folders / "rust" / "b.png"));
}

TEST_F(LabelledFeed, AFolderOfNoClassIsAnErrorUntilItIsRenamed) {
  std::filesystem::create_directory(data_.class_folders / "rost");
  write("rust/a.png", "1", now_s_ - 30);
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(error_, AllOf(HasSubstr("is a folder of no class"), HasSubstr("did you mean \"rust\"?")));
  std::filesystem::remove(data_.class_folders / "rost");
  EXPECT_EQ(take(), (Labels{1}));
}

class LabelledLines : public LabelledFeed {
 protected:
  void SetUp() override {
    LabelledFeed::SetUp();
    data_.class_folders.clear();
    data_.file = folder_ / "photos" / "labels.csv";
    data_.columns = {"path"};
    follow_.from = FollowFrom::file;
  }
  void write(const std::string& name, const std::string& text) {
    data_.class_folders = data_.file.parent_path();
    LabelledFeed::write(name, text, now_s_ - 30);
    data_.class_folders.clear();
  }
  void append(const std::string& text) const { std::ofstream(data_.file, std::ios::app) << text; }
};

TEST_F(LabelledLines, FilesOfNewLinesAreTakenOnceInTheOrderOfTheLines) {
  EXPECT_THAT(take(), IsEmpty()) << "there is no list yet";
  EXPECT_EQ(error_, "");
  append("path,label\n");
  EXPECT_THAT(take(), IsEmpty());
  write("b, \"x\".png", "1");
  write("a.png", "2");
  append("\"b, \"\"x\"\".png\",rust\na.png,crack\na.pn");
  EXPECT_EQ(take(), (Labels{1, 0}));
  EXPECT_THAT(notes_, IsEmpty()) << "the last line is not complete";
  write("c.png", "3");
  std::ofstream(data_.file, std::ios::trunc) << "label,path\nrust,a.png\nrust,c.png\n";  // rewritten
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_THAT(inputs_, ElementsAre(1, 2, 3));
  restart();
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(LabelledLines, ALineWhoseFileIsNotThereIsReportedOnceAndTheFileIsTakenWhenItIs) {
  write("a.png", "1");
  append("path,label\nb.png,rust\na.png,crack\n");
  EXPECT_EQ(take(), (Labels{0}));
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("labels.csv: 1 file that it names is not there: b.png")));
  EXPECT_THAT(take(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
  write("b.png", "2");
  EXPECT_EQ(take(), (Labels{1}));
}

TEST_F(LabelledLines, ALineThatCannotBeUsedStopsTheLinesBehindItUntilItIsCorrected) {
  write("a.png", "1");
  write("b.png", "2");
  append("path,label\na.png,rust\nb.png,rost\nb.png,crack\n");
  EXPECT_EQ(take(), (Labels{1}));
  EXPECT_THAT(error_, HasSubstr("labels.csv:3: label: is \"rost\", which is not in data.classes"));
  std::ofstream(data_.file, std::ios::trunc) << "path,label\na.png,rust\nb.png,crack\n";
  EXPECT_EQ(take(), (Labels{0}));
  EXPECT_EQ(error_, "");
}

TEST_F(LabelledLines, LabelsMayBeNumbers) {
  data_.classes.clear();
  write("a.png", "1");
  append("path,label\na.png,3\n");
  EXPECT_EQ(take(), (Labels{3}));
  EXPECT_EQ(description_->class_count, 4U);
}

}  // namespace
}  // namespace hansa::learning
