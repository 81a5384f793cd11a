// NAME.pub: its content, its errors, and the scope of a certificate.
#include "protocols/enrolment/device_file.h"

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

  void expect_refused(const std::string& what, const std::string& federation = "pumps",
                      const std::string& client = "pump-7") {
    const auto read = read_certificate(folder_.path(), client, federation, root_.public_key());
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
  ASSERT_TRUE(certify_file(file_, "pumps", root_));
  const auto back = read_device_file(file_);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->identity, device.identity);
  EXPECT_TRUE(back->certificate);
  EXPECT_EQ(*transport::read_public_key(file_), device.key);
  const auto certificate = read_certificate(folder_.path(), "pump-7", "pumps", root_.public_key());
  ASSERT_TRUE(certificate) << certificate.error().text();
  EXPECT_EQ(certificate->client, "pump-7");
}

TEST_F(DeviceFiles, ACertificateIsForItsNameFederationAndRoot) {
  ASSERT_TRUE(write_device_file(*describe(secret_), file_));
  ASSERT_TRUE(certify_file(file_, "pumps", root_));
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
        {"certificate " + std::string(127, '0') + "\n", ":2: has 127 characters"}}) {
    ASSERT_TRUE(write_file_atomically(file_, key + lines));
    const auto read = read_device_file(file_);
    ASSERT_FALSE(read) << lines;
    EXPECT_NE(read.error().text().find(what), std::string::npos) << read.error().text();
  }
  ASSERT_TRUE(write_file_atomically(file_, key));
  EXPECT_NE(certify_file(file_, "pumps", root_).error().text().find("contains no identity"),
            std::string::npos);
}

}  // namespace
}  // namespace hansa::enrolment
