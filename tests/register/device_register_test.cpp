// The register of devices: tokens, devices, activity and the audit log, durable.
#include "server/register/device_register.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/sqlite/connection.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Register : public ::testing::Test {
 protected:
  [[nodiscard]] DeviceRegister open() const {
    auto opened = DeviceRegister::open(file);
    EXPECT_TRUE(opened) << opened.error().text();
    return std::move(*opened);
  }
  [[nodiscard]] static DeviceRegister::Applicant applicant(const enrolment::JoinToken& token,
                                                           const Keys& keys) {
    return {token.id, keys.key, keys.identity, "192.0.2.7"};
  }
  [[nodiscard]] std::vector<std::string> acts(DeviceRegister& devices) const {
    std::vector<std::string> out;
    const auto entries = devices.audit().value();
    for (const AuditEntry& entry : entries) out.push_back(entry.act);
    return out;
  }

  TemporaryFolder folder;
  std::filesystem::path file = folder / "devices.sqlite";
};

TEST_F(Register, ADeviceThatJoinedIsThereAfterARestart) {
  const Keys keys;
  const auto token = make_token();
  {
    auto devices = open();
    ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
    const auto device = devices.enrol(applicant(token, keys), {}, by_operator);
    ASSERT_TRUE(device) << device.error().text();
    EXPECT_EQ(device->name, "LINE-7");
    ASSERT_TRUE(devices.approve("LINE-7", {{1, today, {today.value + 400}}, {}}, by_operator));
    EXPECT_EQ(devices.find("LINE-7").value()->state, DeviceState::certified);
    ASSERT_TRUE(devices.mark_admitted("LINE-7"));
  }
  auto devices = open();
  const auto device = devices.find_key(keys.key).value();
  ASSERT_TRUE(device);
  EXPECT_EQ(device->name, "LINE-7");
  EXPECT_EQ(device->state, DeviceState::admitted);
  EXPECT_EQ(device->identity, keys.identity);
  EXPECT_EQ(device->token, token.id);
  ASSERT_TRUE(device->certificate);
  EXPECT_EQ(device->certificate->validity.expires.value, today.value + 400);
  EXPECT_THAT(acts(devices), ElementsAre("token.made", "device.requested", "device.enrolled"));
}

TEST_F(Register, ATokenIsUsedOnce) {
  auto devices = open();
  const auto token = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
  ASSERT_TRUE(devices.enrol(applicant(token, Keys()), {}, by_operator));
  const auto second = devices.enrol(applicant(token, Keys()), {}, by_operator);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::refused);
  EXPECT_THAT(second.error().text(), HasSubstr("used already"));
}

TEST_F(Register, ATokenForSeveralGivesEachAName) {
  auto devices = open();
  const auto token = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token, "pump", 3), by_operator));
  const std::vector<std::string> taken{"pump-1"};
  EXPECT_EQ(devices.enrol(applicant(token, Keys()), taken, by_operator)->name, "pump-2");
  EXPECT_EQ(devices.enrol(applicant(token, Keys()), taken, by_operator)->name, "pump-3");
  EXPECT_EQ(devices.enrol(applicant(token, Keys()), taken, by_operator)->name, "pump-4");
  EXPECT_FALSE(devices.enrol(applicant(token, Keys()), taken, by_operator));
}

TEST_F(Register, ANameIsNeverUsedAgain) {
  auto devices = open();
  const auto first = make_token(), second = make_token();
  ASSERT_TRUE(devices.add_token(record_of(first), by_operator));
  ASSERT_TRUE(devices.add_token(record_of(second), by_operator));
  ASSERT_TRUE(devices.enrol(applicant(first, Keys()), {}, by_operator));
  ASSERT_TRUE(devices.set_state("LINE-7", DeviceState::revoked, "stolen", by_operator));
  EXPECT_EQ(devices.enrol(applicant(second, Keys()), {}, by_operator)->name, "LINE-7-1");
}

TEST_F(Register, AnExpiredOrWithdrawnTokenDoesNotHold) {
  auto devices = open();
  const auto token = make_token(), withdrawn = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
  const Acting later{"aggregator", {today.value + 24 * hour}};
  EXPECT_THAT(devices.enrol(applicant(token, Keys()), {}, later).error().text(), HasSubstr("expired"));
  ASSERT_TRUE(devices.add_token(record_of(withdrawn), by_operator));
  EXPECT_TRUE(devices.withdraw_token(withdrawn.id, by_operator).value());
  EXPECT_FALSE(devices.withdraw_token(withdrawn.id, by_operator).value());
  EXPECT_FALSE(devices.enrol(applicant(withdrawn, Keys()), {}, by_operator));
}

TEST_F(Register, AKnownKeyOrIdentityDoesNotEnrolAgain) {
  auto devices = open();
  const Keys keys, other;
  const auto token = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token, "pump", 5), by_operator));
  ASSERT_TRUE(devices.enrol(applicant(token, keys), {}, by_operator));
  EXPECT_FALSE(devices.enrol(applicant(token, keys), {}, by_operator));
  EXPECT_FALSE(devices.enrol({token.id, other.key, keys.identity, ""}, {}, by_operator));
  EXPECT_EQ(devices.find_token(token.id).value()->used, 1U) << "a refusal uses nothing";
}

TEST_F(Register, TwoProcessesDoNotUseATokenTwice) {
  const auto token = make_token();
  {
    auto devices = open();
    ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
  }
  std::atomic<int> enrolled = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto devices = open();
      if (devices.enrol(applicant(token, Keys()), {}, by_operator)) ++enrolled;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(enrolled, 1);
}

TEST_F(Register, FollowsTheFolderOfAdmittedClients) {
  auto devices = open();
  const Keys a, b;
  const std::vector<DeviceRegister::Listed> both{{"a", a.key, a.identity}, {"b", b.key, b.identity}};
  EXPECT_TRUE(devices.match_folder(both, by_operator).value());
  EXPECT_FALSE(devices.match_folder(both, by_operator).value()) << "nothing has changed";
  EXPECT_TRUE(devices.match_folder(std::span(both).first(1), by_operator).value());
  EXPECT_EQ(devices.find("b").value()->state, DeviceState::removed);
  EXPECT_TRUE(devices.match_folder(both, by_operator).value());
  EXPECT_EQ(devices.find("b").value()->state, DeviceState::admitted);
  EXPECT_THAT(acts(devices),
              ElementsAre("device.admitted", "device.admitted", "device.removed", "device.admitted"));
}

TEST_F(Register, ACertifiedDeviceIsNotRemovedBeforeItsFileWasWritten) {
  auto devices = open();
  const Keys keys;
  const auto token = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
  ASSERT_TRUE(devices.enrol(applicant(token, keys), {}, by_operator));
  ASSERT_TRUE(devices.approve("LINE-7", {{1, today, {today.value + 400}}, {}}, by_operator));
  EXPECT_FALSE(devices.match_folder({}, by_operator).value());
  EXPECT_EQ(devices.find("LINE-7").value()->state, DeviceState::certified);
  const std::vector<DeviceRegister::Listed> listed{{"LINE-7", keys.key, keys.identity}};
  EXPECT_TRUE(devices.match_folder(listed, by_operator).value());
  EXPECT_EQ(devices.find("LINE-7").value()->state, DeviceState::admitted);
  EXPECT_EQ(acts(devices).back(), "device.enrolled") << "no second entry";
}

TEST_F(Register, OnlyACertifiedDeviceIsMarkedAsAdmitted) {
  auto devices = open();
  const auto token = make_token();
  ASSERT_TRUE(devices.add_token(record_of(token), by_operator));
  ASSERT_TRUE(devices.enrol(applicant(token, Keys()), {}, by_operator));
  for (const auto state : {DeviceState::pending, DeviceState::revoked, DeviceState::removed}) {
    ASSERT_TRUE(devices.set_state("LINE-7", state, "", by_operator));
    ASSERT_TRUE(devices.mark_admitted("LINE-7"));
    EXPECT_EQ(devices.find("LINE-7").value()->state, state);
  }
}

TEST_F(Register, ActivityAddsUp) {
  auto devices = open();
  const Keys a;
  const std::vector<DeviceRegister::Listed> listed{{"a", a.key, a.identity}};
  ASSERT_TRUE(devices.match_folder(listed, by_operator));
  ASSERT_TRUE(devices.add_activity({{"a", {"hansa 0.1.0", today, 512, 2, 1, "round 3: late"}}, {"b", {}}}));
  ASSERT_TRUE(devices.add_activity({{"a", {"", std::nullopt, 0, 1, 0, ""}}}));
  const auto found = devices.find("a").value();
  EXPECT_EQ(found->activity.software, "hansa 0.1.0");
  EXPECT_EQ(found->activity.last_seen, today);
  EXPECT_EQ(found->activity.examples, 512U);
  EXPECT_EQ(found->activity.counted, 3U);
  EXPECT_EQ(found->activity.lost, 1U);
  EXPECT_EQ(found->activity.lost_why, "round 3: late");
}

class AuditLog : public Register {
 protected:
  void SetUp() override {
    auto devices = open();
    for (int i = 0; i < 5; ++i)
      ASSERT_TRUE(devices.record("test.act", "subject", "details " + std::to_string(i), by_operator));
  }
  [[nodiscard]] std::optional<Error> verify() const {
    auto devices = open();
    return find_break(devices.audit().value(), file.string());
  }
};

TEST_F(AuditLog, IsAChain) { EXPECT_FALSE(verify()); }

TEST_F(AuditLog, SqliteItselfRefusesToEditIt) {
  const auto connection = sqlite::open_to_write(file);
  EXPECT_THROW(connection->exec("UPDATE audit SET details = 'x' WHERE number = 2"), SQLite::Exception);
  EXPECT_THROW(connection->exec("DELETE FROM audit WHERE number = 5"), SQLite::Exception);
}

using AdversaryAuditLog = AuditLog;
TEST_F(AdversaryAuditLog, AnEditedEntryIsFound) {
  const auto connection = sqlite::open_to_write(file);
  connection->exec("DROP TRIGGER audit_is_not_edited");
  connection->exec("UPDATE audit SET details = 'x' WHERE number = 2");
  ASSERT_TRUE(verify());
  EXPECT_THAT(verify()->text(), HasSubstr("entry 2"));
}

TEST_F(AdversaryAuditLog, ARemovedEntryIsFound) {
  const auto connection = sqlite::open_to_write(file);
  connection->exec("DROP TRIGGER audit_is_not_shortened");
  connection->exec("DELETE FROM audit WHERE number = 3");
  ASSERT_TRUE(verify());
  EXPECT_THAT(verify()->text(), HasSubstr("entry 3 of the audit log is missing"));
}

TEST_F(AdversaryAuditLog, AnInsertedEntryIsFound) {
  const auto connection = sqlite::open_to_write(file);
  connection->exec(
      "INSERT INTO audit SELECT 6, at, actor, act, subject, 'forged', hash FROM audit WHERE number = 5");
  ASSERT_TRUE(verify());
  EXPECT_THAT(verify()->text(), HasSubstr("entry 6"));
}

}  // namespace
}  // namespace hansa::server
