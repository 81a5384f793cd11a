// Examples that turn out to be damaged when they are read, and those that replace them.

#include <gmock/gmock.h>

#include "learning/damaged_examples.h"
#include "learning/hold_out.h"
#include "tests/data/numbered_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Indices;
using ::testing::Not;
using testing::NumberedFiles;
using testing::read_inputs;
using testing::read_targets;

struct Read {
  std::vector<float> inputs;
  std::vector<std::int64_t> labels;
};
Read both(const DataSource& source, const Indices& indices) {
  Read out{std::vector<float>(indices.size()), std::vector<std::int64_t>(indices.size())};
  const std::vector<TensorBytes> tensors{std::as_writable_bytes(std::span(out.inputs)),
                                         std::as_writable_bytes(std::span(out.labels))};
  const auto read = source.read(indices, tensors);
  EXPECT_TRUE(read) << read.error().text();
  return out;
}

TEST(DamagedExamples, AreReplacedWithTheirLabelsByTheNextThatCanBeRead) {
  NumberedFiles files(8);
  files.damaged = {2, 3, 7};
  DamagedFiles damage(2);
  const ReplacedExamples source(files, damage);
  const Read read = both(source, {1, 2, 3, 7});
  EXPECT_THAT(read.inputs, ElementsAre(1, 4, 4, 0));
  EXPECT_THAT(read.labels, ElementsAre(10, 40, 40, 0));
  EXPECT_EQ(source.example_count(), 8U);
  const int before = files.reads;
  EXPECT_THAT(both(source, {3, 0, 2}).inputs, ElementsAre(4, 0, 4));
  EXPECT_EQ(files.reads, before + 1) << "what was found is known";
  EXPECT_THAT(
      damage.note("files"),
      AllOf(HasSubstr("files: 2 files are damaged and replaced by other examples: file 1 (is damaged), "
                      "file 3 (is damaged); copy them again")));
}

TEST(DamagedExamples, TheSeedOfTheBatchAppliesToReplacementsToo) {
  NumberedFiles files(4);
  files.damaged = {1};
  DamagedFiles damage(1);
  const ReplacedExamples source(files, damage);
  std::vector<float> out(2);
  const std::vector<TensorBytes> tensors{std::as_writable_bytes(std::span(out)), {}};
  ASSERT_TRUE(source.read_augmented(Indices{0, 1}, tensors, 100));
  EXPECT_THAT(out, ElementsAre(100, 102));
}

// What is held out is never trained on, and the other way round.
TEST(DamagedExamples, AreReplacedByExamplesOfTheSameSide) {
  NumberedFiles files(8);
  files.damaged = {2};
  DamagedFiles damage(1);
  const ExampleSubset training(files, {0, 2, 5, 7}), held_out(files, {1, 3, 4, 6});
  const ReplacedExamples source(training, damage);
  EXPECT_THAT(both(source, {0, 1, 2}).inputs, ElementsAre(0, 5, 5));
  const ReplacedExamples measured(held_out, damage);
  EXPECT_THAT(both(measured, {0, 1, 2, 3}).inputs, ElementsAre(1, 3, 4, 6));
}

TEST(DamagedExamples, TooManyDamagedFilesAreOneError) {
  NumberedFiles files(8);
  files.damaged = {0, 2, 4};
  DamagedFiles damage(2);
  const ReplacedExamples source(files, damage);
  const auto read = read_tensor<float>(source, 0, testing::all_of(source));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text(),
              AllOf(HasSubstr("3 files are damaged, and data.damaged_max allows 2: file 0"),
                    HasSubstr("file 2 (is damaged)")));
  EXPECT_EQ(read.error().reason.code, ReasonCode::data_damaged);
}

TEST(DamagedExamples, NothingIsReplacedIfNoFileMayBeDamagedOrTheErrorIsAnotherOne) {
  NumberedFiles files(4);
  files.damaged = {1};
  DamagedFiles none(0);
  EXPECT_FALSE(read_tensor<float>(ReplacedExamples(files, none), 0, Indices{0, 1}));
  files.because = ReasonCode::data_unreadable;
  DamagedFiles damage(3);
  EXPECT_FALSE(read_tensor<float>(ReplacedExamples(files, damage), 0, Indices{0, 1}));
  EXPECT_EQ(damage.note("files"), "");
  files.because = ReasonCode::example_invalid;
  files.damaged = {0, 1, 2, 3};
  EXPECT_FALSE(read_tensor<float>(ReplacedExamples(files, damage), 0, Indices{0, 1}))
      << "no example is left to replace the others";
}

TEST(DamagedExamples, AFractionAllowsOneFileAndNeverAll) {
  EXPECT_EQ(damaged_files_allowed(0, 1'000), 0U);
  EXPECT_EQ(damaged_files_allowed(0.01, 20), 1U);
  EXPECT_EQ(damaged_files_allowed(0.01, 1'050), 10U);
  EXPECT_EQ(damaged_files_allowed(0.5, 1), 0U);
  EXPECT_EQ(damaged_files_allowed(0.5, 2), 1U);
}

}  // namespace
}  // namespace hansa::learning
