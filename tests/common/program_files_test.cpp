#include "common/program_files.h"

#include <gtest/gtest.h>

#include "common/files.h"

namespace hansa {
namespace {

TEST(ProgramFiles, AreInTheProgramsOwnFolderOrInThoseOfAnInstallation) {
  const auto places = places_of_program_file("hansa-trainer");
  const std::filesystem::path folder = program_folder();
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ(places[0], folder / "hansa-trainer");
  EXPECT_EQ(places[1], folder.parent_path() / "lib" / "hansa_common_test" / "hansa-trainer");
  EXPECT_EQ(places[2], folder.parent_path() / "lib" / "hansa" / "hansa-trainer");
}

TEST(ProgramFiles, TheFirstPlaceThatHasTheFileIsUsed) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  EXPECT_EQ(find_program_file(self.filename().string()), self);
  EXPECT_EQ(find_program_file("no-such-program"), program_folder() / "no-such-program");
}

}  // namespace
}  // namespace hansa
