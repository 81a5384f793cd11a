// A device changes its key: the desk, the register, the folder of admitted clients, and who is admitted meanwhile.
#include "server/enrolment/key_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "common/sqlite/connection.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/enrolment_desk.h"
#include "server/enrolment/signer.h"
#include "server/process/admission_folder.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using enrolment::JoinAnswer;
using enrolment::JoinStatus;
using ::testing::HasSubstr;

UtcSeconds wall_now = today;

class KeyRotation : public ::testing::Test {
 protected:
  void SetUp() override {
    wall_now = today;
    std::filesystem::create_directory(admitted());
    devices.emplace(DeviceRegister::open(folder / "devices.sqlite").value());
    Device device;
    device.name = "LINE-7";
    device.key = before.key;
    device.identity = before.identity;
    device.certificate = certify(device);
    ASSERT_TRUE(admit_device(admitted(), device));
    follow_folder();
    open(Signs::here);
  }
  enum class Signs { here, elsewhere };
  void open(Signs signs) {
    DeskConfig config;
    config.federation = "pumps";
    config.aggregator = aggregator.key;
    config.admitted = admitted();
    config.client_addresses = {"tcp://127.0.0.1:7470"};
    config.root = root.public_key();
    Certifier certifier;
    if (signs == Signs::here)
      certifier = [this](const Device& device, UtcSeconds) { return certify(device); };
    desk.emplace(std::move(config), DeviceRegister::open(folder / "devices.sqlite").value(),
                 std::move(certifier), [](const EnrolmentDesk::News&) {});
  }
  [[nodiscard]] std::filesystem::path admitted() const { return folder / "admitted"; }
  [[nodiscard]] Device::Certified certify(const Device& device) const {
    return certify_device(device, root, {"pumps", root.public_key(), 1, 400}, wall_now).value();
  }
  void follow_folder() {
    ASSERT_TRUE(devices->match_folder(list_admitted(admitted()).value(), {"aggregator", wall_now}));
  }
  [[nodiscard]] enrolment::RotationRequest request_of(const Keys& from, const Keys& to) const {
    return enrolment::make_rotation_request({"pumps", root.public_key()}, from.secret, to.secret).value();
  }
  JoinAnswer ask(const enrolment::RotationRequest& request, const Keys& visitor) {
    steady += std::chrono::seconds(30);
    return desk->answer(request, {visitor.key, "192.0.2.7"}, wall_now, steady);
  }
  JoinAnswer ask(const Keys& from, const Keys& to) { return ask(request_of(from, to), to); }
  std::unique_ptr<AdmissionFolder> admission(Duration overlap = std::chrono::hours(24)) {
    return std::make_unique<AdmissionFolder>(admitted(), AdmissionRules{overlap, [] { return wall_now; }});
  }
  std::vector<std::string> acts() {
    std::vector<std::string> out;
    const auto entries = devices->audit().value();
    for (const AuditEntry& entry : entries) out.push_back(entry.act);
    return out;
  }

  TemporaryFolder folder;
  secure_aggregation::SigningKey root = secure_aggregation::SigningKey::generate().value();
  Keys aggregator, before, after;
  std::optional<DeviceRegister> devices;
  std::optional<EnrolmentDesk> desk;
  Instant steady{std::chrono::seconds(1000)};
};

TEST_F(KeyRotation, BothKeysAreAdmittedUntilTheDeviceHasConnectedWithTheNewOne) {
  const JoinAnswer answer = ask(before, after);
  ASSERT_EQ(answer.status, JoinStatus::enrolled) << answer.text;
  EXPECT_EQ(answer.name, "LINE-7");
  EXPECT_TRUE(secure_aggregation::check({answer.name, after.identity, answer.validity, answer.signature},
                                        "pumps", root.public_key()));
  auto who = admission();
  EXPECT_EQ(who->admit(before.key), "LINE-7");
  EXPECT_EQ(who->admit(before.key), "LINE-7") << "the present key changes nothing";
  EXPECT_FALSE(who->take_change());
  EXPECT_EQ(who->admit(after.key), "LINE-7");
  const auto change = who->take_change();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->admitted, std::vector<std::string>{"LINE-7"});
  EXPECT_EQ(change->removed, std::vector<std::string>{"LINE-7"}) << "connections with the former key end";
  EXPECT_FALSE(who->admit(before.key));
  EXPECT_EQ(who->admit(after.key), "LINE-7");
  EXPECT_FALSE(who->take_problem());
}

TEST_F(KeyRotation, NameHistoryAndLabelOfTheDeviceStay) {
  ASSERT_TRUE(devices->set_label("LINE-7", "pump hall, left", by_operator));
  ASSERT_TRUE(devices->add_activity({{"LINE-7", {"hansa 1", today, 64, 12, 3, "late"}}}));
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  EXPECT_EQ(admission()->admit(after.key), "LINE-7");
  follow_folder();
  const Device device = devices->find("LINE-7").value().value();
  EXPECT_EQ(device.state, DeviceState::admitted);
  EXPECT_EQ(device.key, after.key);
  EXPECT_EQ(device.identity, after.identity);
  EXPECT_EQ(device.label, "pump hall, left");
  EXPECT_EQ(device.since, today);
  EXPECT_EQ(device.activity.counted, 12U);
  EXPECT_EQ(device.activity.lost, 3U);
  ASSERT_TRUE(device.certificate);
  EXPECT_FALSE(devices->find_next_key("LINE-7").value());
  EXPECT_THAT(acts(), ::testing::IsSupersetOf(
                          {"device.key_requested", "device.key_certified", "device.key_changed"}));
  EXPECT_FALSE(find_break(devices->audit().value(), ""));
}

TEST_F(KeyRotation, TheOverlapEndsWithoutTheDevice) {
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  auto who = admission(std::chrono::hours(48));
  wall_now.value += 48 * hour - 1;
  EXPECT_FALSE(who->take_change());
  EXPECT_EQ(who->admit(before.key), "LINE-7");
  wall_now.value += 1;
  ASSERT_TRUE(who->take_change());
  EXPECT_FALSE(who->admit(before.key));
  EXPECT_EQ(who->admit(after.key), "LINE-7");
  follow_folder();
  // The device was away all the time, and asks again with the key that it made then.
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
}

TEST_F(KeyRotation, WithTheRootKeyElsewhereTheNewKeyWaitsForTheOperator) {
  open(Signs::elsewhere);
  EXPECT_EQ(ask(before, after).status, JoinStatus::pending);
  EXPECT_EQ(ask(before, after).status, JoinStatus::pending) << "asking again changes nothing";
  auto who = admission();
  EXPECT_FALSE(who->admit(after.key));
  const Device device = devices->find("LINE-7").value().value();
  NextKey next = devices->find_next_key("LINE-7").value().value();
  ASSERT_TRUE(admit_certified_key(device, next, certify(with_next_key(device, next)), admitted(), *devices,
                                  by_operator));
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
  EXPECT_EQ(admission()->admit(after.key), "LINE-7");
}

TEST_F(KeyRotation, EveryStepThatACrashLeavesContinuesWhenTheDeviceAsksAgain) {
  // The register has the certificate, and the folder has no file yet.
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  ASSERT_TRUE(remove_next_key(admitted(), "LINE-7"));
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
  ASSERT_TRUE(find_next_key(admitted(), "LINE-7"));
  // LINE-7.pub was written, and the rest of the switch was not done.
  auto file = enrolment::read_device_file(admitted() / "LINE-7.next").value();
  file.replaces.reset();
  ASSERT_TRUE(enrolment::write_device_file(file, admitted() / "LINE-7.pub"));
  auto who = admission();
  static_cast<void>(who->take_change());
  EXPECT_FALSE(std::filesystem::exists(admitted() / "LINE-7.next"));
  EXPECT_TRUE(read_revoked_keys(admitted())->contains(before.key));
  EXPECT_EQ(who->admit(after.key), "LINE-7");
  // The folder has changed, and the register has not followed.
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
  EXPECT_FALSE(std::filesystem::exists(admitted() / "LINE-7.next"));
  follow_folder();
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
  EXPECT_EQ(devices->find("LINE-7").value()->key, after.key);
}

TEST_F(KeyRotation, ADeniedKeyIsRefusedAndThePresentOneStays) {
  open(Signs::elsewhere);
  ASSERT_EQ(ask(before, after).status, JoinStatus::pending);
  ASSERT_TRUE(devices->deny_next_key("LINE-7", by_operator));
  EXPECT_EQ(ask(before, after).status, JoinStatus::refused);
  EXPECT_EQ(admission()->admit(before.key), "LINE-7");
  EXPECT_EQ(ask(before, Keys()).status, JoinStatus::pending) << "another new key may be asked for";
}

TEST_F(KeyRotation, ARegisterOfAnEarlierProgramGetsItsTable) {
  desk.reset();
  devices.reset();
  {
    auto connection = sqlite::open_to_write(folder / "devices.sqlite");
    connection->exec("DROP TABLE next_keys");
  }
  devices.emplace(DeviceRegister::open(folder / "devices.sqlite").value());
  open(Signs::here);
  EXPECT_EQ(ask(before, after).status, JoinStatus::enrolled);
}

using AdversaryKeyRotation = KeyRotation;
TEST_F(AdversaryKeyRotation, AStolenOldKeyIsUselessAfterTheChange) {
  const auto old_file = read_text_file(admitted() / "LINE-7.pub", 4'096).value();
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  auto who = admission();
  ASSERT_EQ(who->admit(after.key), "LINE-7");
  follow_folder();
  EXPECT_FALSE(who->admit(before.key));
  // Nor for another change, nor with its file from a copy, nor under another name.
  EXPECT_EQ(ask(before, Keys()).status, JoinStatus::refused);
  ASSERT_TRUE(write_file_atomically(admitted() / "LINE-7.pub", old_file));
  ASSERT_TRUE(write_file_atomically(admitted() / "copy.pub", old_file));
  EXPECT_FALSE(admission()->admit(before.key));
}

TEST_F(AdversaryKeyRotation, NobodyElseChangesADevicesKey) {
  const Keys thief;
  EXPECT_EQ(ask(request_of(thief, after), after).status, JoinStatus::refused);
  auto forged = request_of(before, thief);
  forged.by_old = request_of(thief, after).by_old;
  EXPECT_EQ(ask(forged, thief).status, JoinStatus::refused);
  // A request that was seen somewhere is of no use without the new key, which CURVE asks for.
  EXPECT_EQ(ask(request_of(before, after), thief).status, JoinStatus::refused);
  EXPECT_FALSE(devices->find_next_key("LINE-7").value());
}

TEST_F(AdversaryKeyRotation, AnUnknownKeyAndAWrongSignatureAreTheSame) {
  const Keys unknown;
  auto forged = request_of(before, after);
  forged.by_old[0] ^= 1;
  EXPECT_EQ(enrolment::encode(ask(request_of(unknown, after), after)), enrolment::encode(ask(forged, after)));
}

TEST_F(AdversaryKeyRotation, ASecondChangeAtTheSameTimeIsRefused) {
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  const JoinAnswer second = ask(before, Keys());
  EXPECT_EQ(second.status, JoinStatus::refused);
  EXPECT_THAT(second.text, HasSubstr("changes to another key already"));
  EXPECT_EQ(find_next_key(admitted(), "LINE-7")->key, after.key);
}

TEST_F(AdversaryKeyRotation, ADeviceDoesNotTakeTheKeyOfAnother) {
  Device other;
  other.name = "LINE-8";
  const Keys keys;
  other.key = keys.key;
  other.identity = keys.identity;
  other.certificate = certify(other);
  ASSERT_TRUE(admit_device(admitted(), other));
  follow_folder();
  EXPECT_EQ(ask(request_of(before, keys), keys).status, JoinStatus::refused);
  EXPECT_FALSE(devices->find_next_key("LINE-7").value());
  EXPECT_FALSE(std::filesystem::exists(admitted() / "LINE-7.next"));
}

TEST_F(AdversaryKeyRotation, AQuarantinedOrRevokedDeviceCannotChangeItsKey) {
  ASSERT_TRUE(quarantine_device(admitted(), "LINE-7"));
  ASSERT_TRUE(devices->set_state("LINE-7", DeviceState::quarantined, "", by_operator));
  EXPECT_THAT(ask(before, after).text, HasSubstr("quarantined"));
  ASSERT_TRUE(devices->set_state("LINE-7", DeviceState::revoked, "", by_operator));
  EXPECT_THAT(ask(before, after).text, HasSubstr("revoked"));
  EXPECT_FALSE(devices->find_next_key("LINE-7").value());
}

TEST_F(AdversaryKeyRotation, AQuarantineHoldsForTheNextKeyToo) {
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  auto who = admission(std::chrono::hours(0));
  ASSERT_TRUE(quarantine_device(admitted(), "LINE-7"));
  ASSERT_TRUE(devices->set_state("LINE-7", DeviceState::quarantined, "", by_operator));
  auto later = admission();
  EXPECT_FALSE(later->admit(after.key));
  EXPECT_FALSE(later->admit(before.key));
  EXPECT_EQ(ask(before, after).status, JoinStatus::refused);
  EXPECT_FALSE(switch_key(admitted(), "LINE-7"));
  ASSERT_TRUE(release_device(admitted(), "LINE-7"));
  EXPECT_EQ(admission()->admit(after.key), "LINE-7");
}

TEST_F(AdversaryKeyRotation, ANextKeyForAnotherKeyThanThePresentOneIsIgnored) {
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  // The operator gave the name to another device meanwhile.
  const Keys other;
  Device device;
  device.name = "LINE-7";
  device.key = other.key;
  device.identity = other.identity;
  device.certificate = certify(device);
  ASSERT_TRUE(std::filesystem::remove(admitted() / "LINE-7.pub"));
  ASSERT_TRUE(admit_device(admitted(), device));
  auto who = admission(std::chrono::hours(0));
  static_cast<void>(who->take_change());
  EXPECT_FALSE(who->admit(after.key));
  EXPECT_EQ(who->admit(other.key), "LINE-7");
}

TEST_F(AdversaryKeyRotation, ARevokedNextKeyIsNotAdmitted) {
  ASSERT_EQ(ask(before, after).status, JoinStatus::enrolled);
  ASSERT_TRUE(revoke_key(admitted(), "LINE-7", after.key));
  EXPECT_FALSE(admission()->admit(after.key));
  EXPECT_EQ(admission()->admit(before.key), "LINE-7");
}

}  // namespace
}  // namespace hansa::server
