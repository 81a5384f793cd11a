// NAME.pub: its content, its errors, and the scope of a certificate.
#include "protocols/enrolment/certificate_folder.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::enrolment {
namespace {

class DeviceFiles : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  transport::SecretKey secret_ = *transport::generate_secret_key();
  secure_aggregation::SigningKey root_ = *secure_aggregation::SigningKey::generate();
  std::filesystem::path file_ = folder_.path() / "pump-7.pub";
  static constexpr UtcSeconds today{1'800'000'000}, next_year{1'800'000'000 + 399 * seconds_per_day};

  Result<secure_aggregation::Certificate> certificate_of(const std::string& client,
                                                         const std::string& federation = "pumps",
                                                         UtcSeconds now = today, std::uint32_t epoch = 1) {
    return read_certificate({folder_.path(), federation, root_.public_key(), epoch}, client, now);
  }
  // The file of a device that is certified today.
  void certify_device(const CertificateTerm& term = {.issued = today}) {
    ASSERT_TRUE(write_device_file(*describe(secret_), file_));
    ASSERT_TRUE(certify_file(file_, "pumps", root_, term));
  }

  void expect_refused(const std::string& what, const std::string& federation = "pumps",
                      const std::string& client = "pump-7", UtcSeconds now = today) {
    const auto read = certificate_of(client, federation, now);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().text().find(what), std::string::npos) << read.error().text();
    EXPECT_NE(read.error().text().find(client + ".pub"), std::string::npos) << "the file is named";
  }
};

TEST_F(DeviceFiles, AreReadBackAndAreStillTransportKeys) {
  const DeviceFile device = *describe(secret_);
  ASSERT_TRUE(device.identity);
  ASSERT_TRUE(write_device_file(device, file_));
  expect_refused("contains no certificate");
  ASSERT_TRUE(certify_file(file_, "pumps", root_, {.issued = today}));
  const auto back = read_device_file(file_);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->identity, device.identity);
  EXPECT_TRUE(back->certificate);
  EXPECT_EQ(*transport::read_public_key(file_), device.key);
  const auto certificate = certificate_of("pump-7");
  ASSERT_TRUE(certificate) << certificate.error().text();
  EXPECT_EQ(certificate->client, "pump-7");
}

TEST_F(DeviceFiles, ACertificateIsForItsNameFederationAndRoot) {
  certify_device();
  expect_refused("not signed by the federation's root key", "valves");
  std::filesystem::copy(file_, folder_.path() / "pump-8.pub");
  expect_refused("not signed by the federation's root key", "pumps", "pump-8");
  root_ = *secure_aggregation::SigningKey::generate();
  expect_refused("not signed by the federation's root key");
}

TEST_F(DeviceFiles, InvalidLinesAreReportedByNumber) {
  const std::string key = describe(secret_)->key.text() + "\n";
  for (const auto& [lines, what] :
       {std::pair<std::string, std::string>{"identity 12\n", ":2: has 2 characters, needs 64"},
        {"\nidentity " + std::string(64, 'g') + "\n", ":3: contains a character that is not a hex digit"},
        {"certificate 1 2 3 " + std::string(127, '0') + "\n", ":2: has 127 characters"},
        {"certificate 1 2 x " + std::string(128, '0') + "\n", ":2: is not a certificate"},
        {"certificate " + std::string(128, '0') + "\n",
         ":2: is a certificate without epoch and expiry: an older Hansa wrote it; certify it: hansa keys"}}) {
    ASSERT_TRUE(write_file_atomically(file_, key + lines));
    const auto read = read_device_file(file_);
    ASSERT_FALSE(read) << lines;
    EXPECT_NE(read.error().text().find(what), std::string::npos) << read.error().text();
  }
  ASSERT_TRUE(write_file_atomically(file_, key));
  EXPECT_NE(
      certify_file(file_, "pumps", root_, {.issued = today}).error().text().find("contains no identity"),
      std::string::npos);
}

TEST_F(DeviceFiles, CertifyingAgainRenewsACertificateInItsEpoch) {
  certify_device({.issued = today, .days = 400, .epoch = 3});
  const auto renewed = certify_file(file_, "pumps", root_, {.issued = next_year, .days = 10});
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_EQ(*renewed, (secure_aggregation::Validity{3, next_year, {next_year.value + 10 * seconds_per_day}}));
  EXPECT_EQ(certificate_of("pump-7", "pumps", next_year, 3)->validity, *renewed);
  // Clients refuse to go back.
  const auto lower = certify_file(file_, "pumps", root_, {.issued = today, .epoch = 2});
  ASSERT_FALSE(lower);
  EXPECT_NE(lower.error().text().find("certified for epoch 3"), std::string::npos);
}

TEST_F(DeviceFiles, AnOldCertificateIsReplaced) {
  ASSERT_TRUE(write_device_file(*describe(secret_), file_));
  const std::string text = *read_text_file(file_, 4096);
  ASSERT_TRUE(write_file_atomically(file_, text + "certificate " + std::string(128, '0') + "\n"));
  expect_refused("an older Hansa wrote it; certify it: hansa keys certify");
  ASSERT_TRUE(certify_file(file_, "pumps", root_, {.issued = today}));
  EXPECT_TRUE(certificate_of("pump-7"));
}

// The epoch of a line that the root did not sign is somebody's invention.
TEST_F(DeviceFiles, AForgedEpochIsNotRenewed) {
  ASSERT_TRUE(write_device_file(*describe(secret_), file_));
  const std::string text = *read_text_file(file_, 4096);
  ASSERT_TRUE(
      write_file_atomically(file_, text + "certificate 4294967295 1 2 " + std::string(128, '0') + "\n"));
  EXPECT_EQ(certify_file(file_, "pumps", root_, {.issued = today})->epoch, 1U);
}

TEST_F(DeviceFiles, WhatHasExpiredOrIsOfAnEndedEpochIsRefusedWithAHint) {
  certify_device();
  EXPECT_TRUE(certificate_of("pump-7", "pumps", next_year));
  expect_refused("the certificate expired on 2028-02-19; certify it: hansa keys certify", "pumps", "pump-7",
                 {today.value + 400 * seconds_per_day});
  const auto ended = certificate_of("pump-7", "pumps", today, 2);
  ASSERT_FALSE(ended);
  EXPECT_NE(ended.error().text().find("hansa keys certify --epoch 2"), std::string::npos)
      << ended.error().text();
}

TEST_F(DeviceFiles, ACertificateThatExpiresSoonIsReportedOnce) {
  certify_device();
  CertificateFolder certificates({folder_.path(), "pumps", root_.public_key(), 1});
  EXPECT_FALSE(certificates.is_due(today)) << "nothing is connected";
  EXPECT_EQ(certificates.find("pump-7", today).warning, "");
  EXPECT_FALSE(certificates.is_due({today.value + seconds_per_day - 1}));
  EXPECT_TRUE(certificates.is_due({today.value + seconds_per_day}));
  const UtcSeconds late{today.value + 370 * seconds_per_day};
  const auto found = certificates.find("pump-7", late);
  ASSERT_TRUE(found.certificate);
  EXPECT_NE(found.warning.find("expires on 2028-02-19, in 30 days; renew it: hansa keys certify"),
            std::string::npos)
      << found.warning;
  EXPECT_EQ(certificates.find("pump-7", late).warning, "");
  // A renewed one is reported again before its own end.
  ASSERT_TRUE(certify_file(file_, "pumps", root_, {.issued = late, .days = 20}));
  certificates.forget(std::vector<std::string>{"pump-7"});
  EXPECT_NE(certificates.find("pump-7", late).warning, "");
}

TEST_F(DeviceFiles, AValidCertificateIsReadOnceUntilItsFileChanges) {
  certify_device({.issued = today});
  CertificateFolder certificates({folder_.path(), "pumps", root_.public_key(), 1});
  ASSERT_TRUE(certificates.find("pump-7", today).certificate);
  std::filesystem::remove(file_);
  EXPECT_TRUE(certificates.find("pump-7", today).certificate) << "nobody has reported a change";
  certificates.forget(std::vector<std::string>{"pump-8"});
  EXPECT_TRUE(certificates.find("pump-7", today).certificate);
  certificates.forget(std::vector<std::string>{"pump-7"});
  EXPECT_FALSE(certificates.find("pump-7", today).certificate);
}

TEST_F(DeviceFiles, TheEndOfACertificateIsDue) {
  certify_device({.issued = today, .days = 1});
  CertificateFolder certificates({folder_.path(), "pumps", root_.public_key(), 1});
  const UtcSeconds evening{today.value + seconds_per_day - 60};
  ASSERT_TRUE(certificates.find("pump-7", evening).certificate);
  EXPECT_FALSE(certificates.is_due(evening));
  EXPECT_TRUE(certificates.is_due({evening.value + 60})) << "a connected client's certificate expires";
  EXPECT_FALSE(certificates.find("pump-7", {evening.value + 60}).certificate);
}

}  // namespace
}  // namespace hansa::enrolment
