// Who may connect, and what a change of the folder of admitted clients means.
#include "server/process/admission_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "server/enrolment/admitted_folder.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdmissionFolderTest : public ::testing::Test {
 protected:
  void write(const std::string& name, const Keys& keys) const {
    ASSERT_TRUE(enrolment::write_device_file(enrolment::describe(keys.secret).value(), file_of(name)));
  }
  [[nodiscard]] std::filesystem::path file_of(const std::string& name) const {
    return folder / (name + ".pub");
  }
  [[nodiscard]] std::filesystem::path list() const { return folder / revoked_keys_file; }
  // Nobody can read a folder as a file, not even root.
  void make_list_unreadable() const {
    std::filesystem::remove(list());
    std::filesystem::create_directory(list());
  }
  TemporaryFolder folder;
  Keys a, b;
};

TEST_F(AdmissionFolderTest, AChangeNamesWhoIsAdmittedWhoIsRemovedAndWhoseFileChanged) {
  write("a", a);
  write("b", b);
  AdmissionFolder admission(folder.path());
  EXPECT_FALSE(admission.take_change());
  const auto root = secure_aggregation::SigningKey::generate().value();
  ASSERT_TRUE(enrolment::certify_file(file_of("a"), "pumps", root, {.issued = today}));
  auto change = admission.take_change();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->admitted, ElementsAre("a", "b"));
  EXPECT_THAT(change->removed, IsEmpty());
  EXPECT_THAT(change->changed, ElementsAre("a"));
  std::filesystem::remove(file_of("b"));
  write("c", Keys());
  change = admission.take_change();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->admitted, ElementsAre("a", "c"));
  EXPECT_THAT(change->removed, ElementsAre("b"));
  EXPECT_THAT(change->changed, ElementsAre("b", "c"));
  EXPECT_EQ(admission.admit(a.key), "a");
  EXPECT_FALSE(admission.admit(b.key));
}

TEST_F(AdmissionFolderTest, AnotherKeyUnderANameRemovesItsClient) {
  write("a", a);
  AdmissionFolder admission(folder.path());
  write("a", b);
  const auto change = admission.take_change();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->admitted, ElementsAre("a"));
  EXPECT_THAT(change->removed, ElementsAre("a"));
}

using AdversaryAdmissionFolder = AdmissionFolderTest;
TEST_F(AdversaryAdmissionFolder, AFileThatIsWrittenAgainWithTheSameContentsIsNoChange) {
  write("a", a);
  AdmissionFolder admission(folder.path());
  for (int i = 0; i < 3; ++i) {
    write("a", a);
    std::filesystem::last_write_time(file_of("a"), std::filesystem::file_time_type(std::chrono::hours(i)));
    EXPECT_FALSE(admission.take_change()) << "a device could make all certificates be checked again";
  }
}

TEST_F(AdversaryAdmissionFolder, WithoutAReadableListOfRevokedKeysNobodyIsAdmittedAtTheStart) {
  write("a", a);
  ASSERT_TRUE(revoke_key(folder.path(), "a", a.key));
  make_list_unreadable();
  AdmissionFolder admission(folder.path());
  EXPECT_FALSE(admission.admit(a.key));
  const auto problem = admission.take_revocation_problem();
  ASSERT_TRUE(problem);
  EXPECT_THAT(problem->text(), HasSubstr("revoked.keys"));
  EXPECT_FALSE(admission.take_revocation_problem()) << "each reason is reported once";
}

TEST_F(AdversaryAdmissionFolder, AListThatBecomesUnreadableAdmitsNobodyNew) {
  write("a", a);
  const Keys stolen;
  ASSERT_TRUE(revoke_key(folder.path(), "stolen", stolen.key));
  AdmissionFolder admission(folder.path());
  EXPECT_EQ(admission.admit(a.key), "a");
  make_list_unreadable();
  write("b", b);
  write("stolen", stolen);
  const auto change = admission.take_change();
  ASSERT_TRUE(change);
  EXPECT_THAT(change->admitted, ElementsAre("a")) << "the federation continues with the devices that it had";
  EXPECT_THAT(change->removed, IsEmpty());
  EXPECT_FALSE(admission.admit(b.key));
  EXPECT_FALSE(admission.admit(stolen.key));
  EXPECT_TRUE(admission.take_revocation_problem());
  std::filesystem::remove(list());
  ASSERT_TRUE(revoke_key(folder.path(), "stolen", stolen.key));
  const auto later = admission.take_change();
  ASSERT_TRUE(later);
  EXPECT_THAT(later->admitted, ElementsAre("a", "b"));
  EXPECT_FALSE(admission.take_revocation_problem());
}

}  // namespace
}  // namespace hansa::server
