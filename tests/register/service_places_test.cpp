// Where a device's files go when root joins, and what a person at the terminal is asked.
#include "client/join/service_places.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/join/ask_data.h"
#include "client/join/service_start.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(ServicePlaces, AreThoseOfTheInstalledPackage) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryFolder folder;
  const PackageLayout layout{folder.path(), folder / "data", "nobody"};
  const auto found = find_service(layout);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, folder / "client.toml");
  EXPECT_EQ(found->folder, folder / "data");
  EXPECT_NE(found->user.user, 0U);
}

TEST(ServicePlaces, AreNoneWithoutThePackage) {
  const TemporaryFolder folder;
  EXPECT_FALSE(find_service({folder / "none", folder.path(), "nobody"}));
  EXPECT_FALSE(find_service({folder.path(), folder.path(), "no-such-user"}));
}

TEST(ServiceStart, AsksNobodyWhereSystemdDoesNotRun) {
  const TemporaryFolder folder;
  EXPECT_FALSE(start_service(folder / "none"));
}

// A systemctl in PATH that writes down how it was called.
TEST(ServiceStart, AsksSystemdAndReportsARefusal) {
  const TemporaryFolder folder;
  const fs::path program = folder / "systemctl";
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  for (const int code : {0, 5}) {
    std::ofstream(program) << "#!/bin/sh\necho \"$*\" >'" << (folder / "asked").string() << "'\nexit " << code
                           << "\n";
    fs::permissions(program, fs::perms::owner_all);
    EXPECT_EQ(start_service(folder.path()), code == 0);
    std::string asked;
    std::getline(std::ifstream(folder / "asked"), asked);
    EXPECT_EQ(asked, "start --no-block hansa-client.service");
  }
  ::setenv("PATH", path.c_str(), 1);
}

TEST(ActingAs, FilesBelongToTheUserUntilItEnds) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::all);
  const auto owner_of = [&](const char* name) {
    std::ofstream(folder / name) << "x";
    struct stat status {};
    EXPECT_EQ(::stat((folder / name).c_str(), &status), 0);
    return status.st_uid;
  };
  {
    const auto acting = ActingAs::begin(ServiceUser{65534, 65534});
    ASSERT_TRUE(acting) << acting.error().text();
    EXPECT_EQ(owner_of("theirs"), 65534U);
  }
  EXPECT_EQ(owner_of("mine"), 0U);
  {
    const auto acting = ActingAs::begin(std::nullopt);
    ASSERT_TRUE(acting);
    EXPECT_EQ(owner_of("mine too"), 0U);
  }
}

TEST(AskData, ACsvFileBecomesLinesOfData) {
  std::istringstream from("/srv/my \"rows\".csv\n  label \n");
  std::ostringstream to;
  EXPECT_EQ(ask_data(from, to), "kind = \"csv\"\nfile = \"/srv/my \\\"rows\\\".csv\"\nlabel = \"label\"\n");
  EXPECT_THAT(to.str(), HasSubstr("CSV file"));
}

TEST(AskData, NothingIsLeftToBeFilledIn) {
  for (const char* typed : {"", "\n", "rows.csv", "rows.csv\n\n", "\x1b[A\nlabel\n"}) {
    std::istringstream from(typed);
    std::ostringstream to;
    EXPECT_EQ(ask_data(from, to), "") << typed;
  }
}

}  // namespace
}  // namespace hansa::client
