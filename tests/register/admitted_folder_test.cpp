// Changes of the folder of admitted clients.
#include "server/enrolment/admitted_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/files.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;

class AdmittedFolderTest : public ::testing::Test {
 protected:
  [[nodiscard]] Device device(const std::string& name) const {
    Device out;
    out.name = name;
    out.key = keys.key;
    out.identity = keys.identity;
    out.certificate = Device::Certified{{1, today, {today.value + 1}}, {}};
    return out;
  }
  TemporaryFolder folder;
  Keys keys;
};

TEST_F(AdmittedFolderTest, AnAdmittedDeviceIsListedUntilItIsRemoved) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  const auto listed = list_admitted(folder.path()).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, "a");
  EXPECT_EQ(listed[0].key, keys.key);
  EXPECT_EQ(listed[0].identity, keys.identity);
  ASSERT_TRUE(remove_device(folder.path(), "a"));
  EXPECT_TRUE(remove_device(folder.path(), "a")) << "a second time is no error";
  EXPECT_TRUE(list_admitted(folder.path())->empty());
}

TEST_F(AdmittedFolderTest, AQuarantinedDeviceIsNotListedAndKeepsItsName) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  ASSERT_TRUE(quarantine_device(folder.path(), "a"));
  EXPECT_TRUE(list_admitted(folder.path())->empty());
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
  EXPECT_FALSE(quarantine_device(folder.path(), "a"));
  ASSERT_TRUE(release_device(folder.path(), "a"));
  EXPECT_EQ(list_admitted(folder.path())->size(), 1U);
  EXPECT_FALSE(release_device(folder.path(), "a"));
}

TEST_F(AdmittedFolderTest, ARevokedKeyIsNotListedUnderAnyName) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  ASSERT_TRUE(revoke_key(folder.path(), "a", keys.key));
  ASSERT_TRUE(revoke_key(folder.path(), "a", keys.key));
  ASSERT_TRUE(revoke_key(folder.path(), "b", Keys().key));
  ASSERT_TRUE(admit_device(folder.path(), device("copy")));  // its file comes back under another name
  EXPECT_TRUE(list_admitted(folder.path())->empty());
  EXPECT_EQ(read_revoked_keys(folder.path())->size(), 2U);
}

using AdversaryRevokedKeys = AdmittedFolderTest;
TEST_F(AdversaryRevokedKeys, AKeyAfterALineWithoutItsEndIsRefused) {
  const Keys by_hand;
  ASSERT_TRUE(
      write_file_atomically(folder / revoked_keys_file, "# by hand\n" + by_hand.key.text() + " first"));
  ASSERT_TRUE(revoke_key(folder.path(), "second", keys.key));
  EXPECT_THAT(read_revoked_keys(folder.path()).value(),
              ::testing::UnorderedElementsAre(by_hand.key, keys.key));
}

TEST_F(AdversaryRevokedKeys, AKeyThatACommentMentionsIsNotTakenForRevoked) {
  ASSERT_TRUE(write_file_atomically(folder / revoked_keys_file,
                                    "# asked about " + keys.key.text() + " on Monday, kept for now\n"));
  EXPECT_TRUE(read_revoked_keys(folder.path())->empty());
  ASSERT_TRUE(revoke_key(folder.path(), "a", keys.key));
  EXPECT_TRUE(read_revoked_keys(folder.path())->contains(keys.key));
}

TEST_F(AdversaryRevokedKeys, ALineMayBeIndentedAndMayEndInWindowsStyle) {
  const Keys second;
  ASSERT_TRUE(write_file_atomically(folder / revoked_keys_file,
                                    "  " + keys.key.text() + "\r\n\t" + second.key.text() + "\r\n"));
  EXPECT_EQ(read_revoked_keys(folder.path())->size(), 2U);
}

TEST_F(AdversaryRevokedKeys, AListThatCannotBeReadIsNoEmptyList) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  std::filesystem::create_directory(folder / revoked_keys_file);
  EXPECT_EQ(read_revoked_keys(folder.path()).error().code, ErrorCode::storage);
  EXPECT_EQ(list_admitted(folder.path()).error().code, ErrorCode::storage)
      << "the register would take revoked devices for admitted ones";
}

TEST_F(AdversaryRevokedKeys, WhatRootWritesCanBeReadByTheOwnerOfTheFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_EQ(::chown(folder.path().c_str(), 65'534, 65'534), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0750), 0);
  const mode_t before = ::umask(077);
  EXPECT_TRUE(revoke_key(folder.path(), "a", keys.key));
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder / revoked_keys_file).c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 65'534U);
  EXPECT_EQ(status.st_gid, 65'534U);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

}  // namespace
}  // namespace hansa::server
