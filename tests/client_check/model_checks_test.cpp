// Whether the data fits the model that the device fetched last.
#include "client/check/model_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/digest.h"
#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

fs::path add(const fs::path& folder, std::string_view bytes, int age_hours, const std::string& stem = "") {
  const std::string name = stem.empty() ? sha256(std::as_bytes(std::span(bytes))).hex() : stem;
  const fs::path file = folder / (name + ".pt");
  EXPECT_TRUE(write_file_atomically(file, bytes));
  fs::last_write_time(file, fs::file_time_type::clock::now() - hours(age_hours));
  return file;
}

TEST(ModelCheck, TheNewestCompleteArchiveIsChecked) {
  TemporaryFolder state;
  EXPECT_FALSE(last_archive(state.path())) << "before the first round";
  const fs::path archives = state / "archives";
  fs::create_directory(archives);
  EXPECT_FALSE(last_archive(state.path()));
  add(archives, "old", 3);
  const fs::path newest = add(archives, "new", 2);
  add(archives, "damaged", 1, std::string(64, 'a'));
  ASSERT_TRUE(write_file_atomically(archives / "other.txt", std::string_view("no archive")));
  EXPECT_EQ(last_archive(state.path()), newest);
  EXPECT_TRUE(fs::exists(archives / (std::string(64, 'a') + ".pt"))) << "a check changes nothing";
}

TEST(ModelCheck, AFailureIsNamedWithItsHint) {
  const Result<ModelFit> fit =
      fail(ErrorCode::data, "rows.csv", "has 3 columns, and the model takes 2", "hint");
  const Finding finding = model_finding(fit);
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_EQ(finding.code, ErrorCode::data);
  EXPECT_THAT(finding.text, HasSubstr("rows.csv: has 3 columns"));
  EXPECT_EQ(finding.hint, "hint");
}

TEST(ModelCheck, WarningsAreShown) {
  const Finding finding = model_finding(ModelFit{250, 1, {"its layers stay in one mode"}});
  EXPECT_EQ(finding.outcome, Outcome::passed);
  EXPECT_THAT(finding.text, HasSubstr("250 values; its layers stay in one mode"));
}

}  // namespace
}  // namespace hansa::client
