// Changes of the folder of admitted clients.
#include "server/enrolment/admitted_folder.h"

#include <gtest/gtest.h>

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
  const auto listed = list_admitted(folder.path());
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, "a");
  EXPECT_EQ(listed[0].key, keys.key);
  EXPECT_EQ(listed[0].identity, keys.identity);
  ASSERT_TRUE(remove_device(folder.path(), "a"));
  EXPECT_TRUE(remove_device(folder.path(), "a")) << "a second time is no error";
  EXPECT_TRUE(list_admitted(folder.path()).empty());
}

TEST_F(AdmittedFolderTest, AQuarantinedDeviceIsNotListedAndKeepsItsName) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  ASSERT_TRUE(quarantine_device(folder.path(), "a"));
  EXPECT_TRUE(list_admitted(folder.path()).empty());
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a"});
  EXPECT_FALSE(quarantine_device(folder.path(), "a"));
  ASSERT_TRUE(release_device(folder.path(), "a"));
  EXPECT_EQ(list_admitted(folder.path()).size(), 1U);
  EXPECT_FALSE(release_device(folder.path(), "a"));
}

TEST_F(AdmittedFolderTest, ARevokedKeyIsNotListedUnderAnyName) {
  ASSERT_TRUE(admit_device(folder.path(), device("a")));
  ASSERT_TRUE(revoke_key(folder.path(), "a", keys.key));
  ASSERT_TRUE(revoke_key(folder.path(), "a", keys.key));
  ASSERT_TRUE(revoke_key(folder.path(), "b", Keys().key));
  ASSERT_TRUE(admit_device(folder.path(), device("copy")));
  EXPECT_TRUE(list_admitted(folder.path()).empty());
  EXPECT_EQ(read_revoked_keys(folder.path())->size(), 2U);
}

}  // namespace
}  // namespace hansa::server
