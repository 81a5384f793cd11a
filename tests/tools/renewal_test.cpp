// Certificates of a folder are renewed together.
#include "tools/renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::tools {
namespace {

using enrolment::seconds_per_day;
using secure_aggregation::SigningKey;
using ::testing::HasSubstr;

constexpr UtcSeconds today{1'800'000'000};

class RenewalTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file_of(const std::string& name) const {
    return folder_.path() / (name + ".pub");
  }
  // A device, certified for so many days from today on; 0: not certified.
  void add(const std::string& name, std::uint32_t days, const SigningKey& root) {
    const auto secret = transport::generate_secret_key().value();
    ASSERT_TRUE(enrolment::write_device_file(enrolment::describe(secret).value(), file_of(name)));
    if (days > 0) {
      ASSERT_TRUE(enrolment::certify_file(file_of(name), "pumps", root, {today, days, std::nullopt}));
    }
  }
  [[nodiscard]] std::uint64_t days_left(const std::string& name) const {
    const auto device = enrolment::read_device_file(file_of(name)).value();
    return device.certificate ? (device.certificate->validity.expires.value - today.value) / seconds_per_day
                              : 0;
  }
  [[nodiscard]] RenewalPlan plan(std::optional<std::uint32_t> expiring_days = {}) const {
    return {folder_.path(), "pumps", {today, 400, std::nullopt}, expiring_days};
  }

  TemporaryFolder folder_;
  SigningKey root_ = *SigningKey::generate();
};

TEST_F(RenewalTest, AllCertificatesAreRenewed) {
  add("a", 10, root_);
  add("b", 300, root_);
  ASSERT_TRUE(write_file_atomically(folder_.path() / "revoked.keys", "# none\n"));
  const auto renewals = renew_certificates(plan(), root_);
  ASSERT_TRUE(renewals) << renewals.error().text();
  ASSERT_EQ(renewals->size(), 2U);
  EXPECT_EQ((*renewals)[0].file, file_of("a"));
  for (const Renewal& renewal : *renewals) EXPECT_TRUE(renewal.renewed && *renewal.renewed);
  EXPECT_EQ(days_left("a"), 400U);
  EXPECT_EQ(days_left("b"), 400U);
}

TEST_F(RenewalTest, OnlyThoseThatExpireSoonOrHaveExpiredAreRenewed) {
  add("soon", 10, root_);
  add("at-the-limit", 30, root_);
  add("later", 31, root_);
  add("expired", 5, root_);
  RenewalPlan in_a_week = plan(23);
  in_a_week.term.issued.value += 7 * seconds_per_day;
  const auto renewals = renew_certificates(in_a_week, root_);
  ASSERT_TRUE(renewals) << renewals.error().text();
  EXPECT_EQ(days_left("soon"), 407U);
  EXPECT_EQ(days_left("at-the-limit"), 407U);
  EXPECT_EQ(days_left("later"), 31U);
  EXPECT_EQ(days_left("expired"), 407U);
  for (const Renewal& renewal : *renewals)
    EXPECT_EQ(renewal.renewed.has_value(), renewal.file != file_of("later")) << renewal.file;
}

TEST_F(RenewalTest, ANewEpochIsForAllOfThem) {
  add("a", 300, root_);
  RenewalPlan next_epoch = plan(30);
  next_epoch.term.epoch = 2;
  ASSERT_TRUE(renew_certificates(next_epoch, root_));
  EXPECT_EQ(enrolment::read_device_file(file_of("a"))->certificate->validity.epoch, 2U);
}

TEST_F(RenewalTest, AFolderWithoutDevicesIsAMistake) {
  EXPECT_THAT(renew_certificates(plan(), root_).error().text(), HasSubstr("has no NAME.pub"));
  RenewalPlan missing = plan();
  missing.folder /= "none";
  EXPECT_THAT(renew_certificates(missing, root_).error().text(), HasSubstr("cannot be read"));
}

using AdversaryRenewal = RenewalTest;
TEST_F(AdversaryRenewal, AKeyThatSomebodyPutIntoTheFolderIsNotCertified) {
  add("device", 10, root_);
  add("uncertified", 0, root_);
  add("of-another-root", 10, *SigningKey::generate());
  // The certificate of another name.
  std::filesystem::copy_file(file_of("device"), file_of("renamed"));
  const auto renewals = renew_certificates(plan(30), root_);
  ASSERT_TRUE(renewals) << renewals.error().text();
  ASSERT_EQ(renewals->size(), 4U);
  for (const Renewal& renewal : *renewals) {
    ASSERT_TRUE(renewal.renewed);
    if (renewal.file == file_of("device")) {
      EXPECT_TRUE(*renewal.renewed);
    } else {
      ASSERT_FALSE(*renewal.renewed) << renewal.file;
      EXPECT_EQ(renewal.renewed->error().code, ErrorCode::refused);
    }
  }
  EXPECT_EQ(days_left("uncertified"), 0U);
  EXPECT_EQ(days_left("of-another-root"), 10U);
  EXPECT_EQ(days_left("renamed"), 10U) << "the copy of the file before";
}

}  // namespace
}  // namespace hansa::tools
