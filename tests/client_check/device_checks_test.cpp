// Checks of the device: clock, state, certificate, data, memory.
#include "client/check/device_checks.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/check/data_checks.h"
#include "common/available_memory.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr UtcSeconds today{1'796'000'000};  // 2026-11-29
constexpr std::uint64_t day = 86'400;

TEST(ClockCheck, AClockOf1970IsNamed) {
  const Finding finding = clock_finding({UtcSeconds{3'600}});
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_THAT(finding.text, HasSubstr("1970-01-01T01:00:00Z"));
  EXPECT_THAT(finding.hint, HasSubstr("NTP"));
}

TEST(ClockCheck, AClockBeforeTheCertificateOrTheConfigurationIsNamed) {
  ClockEvidence evidence{today};
  EXPECT_EQ(clock_finding(evidence).outcome, Outcome::passed);
  evidence.certified = UtcSeconds{today.value + 2 * day};
  EXPECT_THAT(clock_finding(evidence).text, HasSubstr("certificate was issued later"));
  evidence.certified.reset();
  evidence.configured = UtcSeconds{today.value + 2 * day};
  EXPECT_THAT(clock_finding(evidence).text, HasSubstr("client.toml was written later"));
}

TEST(ClockCheck, ClocksThatDifferByHoursAreNoError) {
  ClockEvidence evidence{today};
  evidence.certified = evidence.configured = UtcSeconds{today.value + day / 2};
  EXPECT_EQ(clock_finding(evidence).outcome, Outcome::passed);
}

TEST(StateCheck, NothingIsLeftAndAFileInTheFoldersPlaceIsNamed) {
  TemporaryFolder folder;
  EXPECT_EQ(state_finding(folder / "state").outcome, Outcome::passed);
  EXPECT_FALSE(std::filesystem::exists(folder / "state"));
  EXPECT_EQ(state_finding(folder.path()).outcome, Outcome::passed);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the trial file is removed";
  std::ofstream(folder / "file") << "x";
  EXPECT_EQ(state_finding(folder / "file").outcome, Outcome::failed);
}

TEST(StateCheck, AFullDiskIsNamed) {
  TemporaryFolder folder;
  const Finding finding = state_finding(folder / "state", std::uint64_t{1} << 60);
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_EQ(finding.code, ErrorCode::storage);
  EXPECT_THAT(finding.text, HasSubstr("MiB are free, and the client needs"));
}

class CertificateCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    key = transport::generate_secret_key().value();
    config.name = "pump-7";
    config.federation = "pumps";
    config.key = folder / "client.key";
    config.secure_aggregation = SecureAggregationConfig{root.public_key(), true, {}};
    ASSERT_TRUE(enrolment::write_device_file(enrolment::describe(key).value(), folder / "pump-7.pub"));
  }
  // Certifies folder/pump-7.pub and copies it to the folder of the key.
  void certify(const secure_aggregation::SigningKey& by, const std::string& federation, UtcSeconds issued) {
    ASSERT_TRUE(enrolment::certify_file(folder / "pump-7.pub", federation, by, {issued, 10, std::nullopt}));
    std::filesystem::copy_file(folder / "pump-7.pub", folder / "client.pub",
                               std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::optional<Finding> find() const { return certificate_finding(config, key, today); }

  TemporaryFolder folder;
  secure_aggregation::SigningKey root = secure_aggregation::SigningKey::generate().value();
  transport::SecretKey key;
  ClientConfig config;
};

TEST_F(CertificateCheck, WithoutAFileTheAggregatorHasIt) { EXPECT_FALSE(find()); }

TEST_F(CertificateCheck, AValidOneShowsItsEnd) {
  certify(root, "pumps", today);
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->outcome, Outcome::passed) << find()->text;
  EXPECT_THAT(find()->text, HasSubstr("until 2026-12-"));
}

TEST_F(CertificateCheck, AnExpiredOneIsNamed) {
  certify(root, "pumps", UtcSeconds{today.value - 11 * day});
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->outcome, Outcome::failed);
  EXPECT_THAT(find()->text, HasSubstr("expired on"));
}

TEST_F(CertificateCheck, OneOfAnotherFederationIsNamed) {
  certify(root, "others", today);
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->outcome, Outcome::failed);
  EXPECT_THAT(find()->hint, HasSubstr("client.federation"));
}

TEST_F(CertificateCheck, OneOfAnotherRootIsNamed) {
  certify(secure_aggregation::SigningKey::generate().value(), "pumps", today);
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->outcome, Outcome::failed);
}

TEST_F(CertificateCheck, OneOfAnotherDeviceIsNamed) {
  certify(root, "pumps", today);
  key = transport::generate_secret_key().value();
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->outcome, Outcome::failed);
  EXPECT_THAT(find()->text, HasSubstr("belongs to another key"));
}

learning::AvailableData images(std::uint64_t examples) {
  learning::AvailableData out;
  out.examples = examples;
  out.description.emplace();
  out.description->inputs = {{"x", ElementType::float32, {1, 28, 28}}};
  out.description->class_count = 10;
  return out;
}

TEST(MemoryCheck, TheExamplesCount) {
  const std::uint64_t empty = memory_needed(std::nullopt).bytes;
  EXPECT_EQ(memory_needed(images(1000)).bytes - empty, 1000U * 28 * 28 * 4);
}

TEST(MemoryCheck, WhatWasMeasuredReplacesTheEstimate) {
  constexpr std::uint64_t peak = 77 << 20;
  const MemoryNeed needed = memory_needed(images(1000), peak);
  EXPECT_EQ(needed.bytes, peak);
  EXPECT_EQ(needed.of_examples, 1000U * 28 * 28 * 4);
  EXPECT_THAT(memory_finding({}, 100 << 20, needed).text,
              HasSubstr("100 MiB are available; a training step that was tried took 77 MiB"));
  EXPECT_EQ(memory_finding({}, 70 << 20, needed).outcome, Outcome::failed);
}

TEST(MemoryCheck, TooLittleMemoryIsNamedWithBothNumbers) {
  const ClientConfig config;
  const Finding finding = memory_finding(config, 100 << 20, {300 << 20});
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_EQ(finding.code, ErrorCode::resource);
  EXPECT_THAT(finding.text, HasSubstr("100 MiB are available, and a training needs at least 300 MiB"));
  EXPECT_EQ(memory_finding(config, 400 << 20, {300 << 20}).outcome, Outcome::passed);
  EXPECT_EQ(memory_finding(config, std::nullopt, {300 << 20}).outcome, Outcome::not_tried);
}

TEST(MemoryCheck, ALimitBelowTheExamplesIsNamed) {
  ClientConfig config;
  config.resources.trainer_memory_mib_max = 2;
  EXPECT_EQ(memory_finding(config, std::uint64_t{8} << 30, memory_needed(images(1000))).outcome,
            Outcome::failed);
}

TEST(MemoryCheck, ThisMachineTells) {
  const auto memory = available_memory();
  ASSERT_TRUE(memory);
  EXPECT_GT(*memory, 0U);
}

TEST(DataCheck, WhatIsThereIsShown) {
  EXPECT_EQ(data_finding(images(5)).text, "5 examples: x: float32 [1, 28, 28], 10 classes");
  EXPECT_EQ(data_finding(images(0)).outcome, Outcome::failed);
  const Result<learning::AvailableData> unreadable =
      fail(ErrorCode::data, "rows.csv:3", "is not a number", "correct the file");
  EXPECT_EQ(data_finding(unreadable).text, "rows.csv:3: is not a number");
  EXPECT_EQ(data_finding(unreadable).hint, "correct the file");
}

TEST(DataCheck, DataThatDiffersFromTheContractIsNamed) {
  DataContract contract;
  contract.shape = {1, 32, 32};
  const Finding finding = contract_finding(images(5), {true, contract});
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_EQ(finding.code, ErrorCode::data);
  contract.shape = {1, 28, 28};
  EXPECT_EQ(contract_finding(images(5), {true, contract}).outcome, Outcome::passed);
  EXPECT_EQ(contract_finding(images(5), {true, std::nullopt}).outcome, Outcome::passed);
  EXPECT_EQ(contract_finding(images(5), {false, std::nullopt}).outcome, Outcome::not_tried);
}

}  // namespace
}  // namespace hansa::client
