// What a device that wants to join is answered, and what somebody without a token is.
#include "server/enrolment/enrolment_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/transport/address_network.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/signer.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using enrolment::JoinAnswer;
using enrolment::JoinStatus;
using ::testing::HasSubstr;

class EnrolmentDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder / "admitted");
    devices.emplace(DeviceRegister::open(folder / "devices.sqlite").value());
    token = make_token();
    token.aggregator = aggregator.key;
    token.root = root.public_key();
    ASSERT_TRUE(devices->add_token(record_of(token), by_operator));
    open(Signs::here);
  }
  enum class Signs { here, elsewhere };
  void open(Signs signs) {
    DeskConfig config;
    config.federation = "pumps";
    config.aggregator = aggregator.key;
    config.admitted = folder / "admitted";
    config.client_addresses = {"tcp://127.0.0.1:7470"};
    Certifier certify;
    if (signs == Signs::here)
      certify = [this](const Device& device, UtcSeconds at) {
        return certify_device(device, root, {"pumps", root.public_key(), 1, 400}, at);
      };
    desk.emplace(std::move(config), DeviceRegister::open(folder / "devices.sqlite").value(),
                 std::move(certify), [this](const EnrolmentDesk::News& line) { news.push_back(line.text); });
  }
  JoinAnswer ask(const enrolment::JoinToken& with, const Keys& keys,
                 const std::string& address = "192.0.2.7") {
    return desk->answer(enrolment::make_join_request(with, keys.secret).value(), {keys.key, address}, now,
                        steady);
  }
  void certify(const std::string& name) {
    const Device device = devices->find(name).value().value();
    const auto certified = certify_device(device, root, {"pumps", root.public_key(), 1, 400}, now).value();
    ASSERT_TRUE(devices->approve(name, certified, by_operator));
  }
  [[nodiscard]] std::filesystem::path file_of(const std::string& name) const {
    return folder / "admitted" / (name + ".pub");
  }
  [[nodiscard]] bool is_admitted(const std::string& name) const {
    return std::filesystem::exists(folder / "admitted" / (name + ".pub"));
  }
  [[nodiscard]] enrolment::JoinToken wrong_secret() const {
    enrolment::JoinToken out = make_token();
    out.id = token.id;
    out.aggregator = token.aggregator;
    return out;
  }

  TemporaryFolder folder;
  secure_aggregation::SigningKey root = secure_aggregation::SigningKey::generate().value();
  Keys aggregator;
  std::optional<DeviceRegister> devices;
  std::optional<EnrolmentDesk> desk;
  enrolment::JoinToken token;
  UtcSeconds now = today;
  Instant steady{std::chrono::seconds(1000)};
  std::vector<std::string> news;
};

TEST_F(EnrolmentDeskTest, ADeviceWithATokenIsCertifiedAndAdmitted) {
  const Keys keys;
  const JoinAnswer answer = ask(token, keys);
  ASSERT_EQ(answer.status, JoinStatus::enrolled) << answer.text;
  EXPECT_EQ(answer.name, "LINE-7");
  EXPECT_EQ(answer.addresses, std::vector<std::string>{"tcp://127.0.0.1:7470"});
  const secure_aggregation::Certificate certificate{answer.name, keys.identity, answer.validity,
                                                    answer.signature};
  EXPECT_TRUE(secure_aggregation::check(certificate, "pumps", root.public_key()));
  EXPECT_TRUE(is_admitted("LINE-7"));
  EXPECT_TRUE(
      enrolment::read_certificate({folder / "admitted", "pumps", root.public_key(), 1}, "LINE-7", today));
}

TEST_F(EnrolmentDeskTest, TheSameDeviceMayAskAgainBecauseAnAnswerMayBeLost) {
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  now.value += 1'000 * hour;  // the token has expired, the device's enrolment has not
  EXPECT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  EXPECT_EQ(devices->devices().value().size(), 1U);
}

TEST_F(EnrolmentDeskTest, AFileThatACrashPreventedIsWrittenWhenTheDeviceAsksAgain) {
  open(Signs::elsewhere);
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::pending);
  certify("LINE-7");  // and the program ends before it writes the file
  EXPECT_FALSE(is_admitted("LINE-7"));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  EXPECT_TRUE(is_admitted("LINE-7"));
  EXPECT_EQ(devices->find("LINE-7").value()->state, DeviceState::admitted);
}

TEST_F(EnrolmentDeskTest, WithTheRootKeyElsewhereADeviceWaitsForTheOperator) {
  open(Signs::elsewhere);
  const Keys keys;
  JoinAnswer answer = ask(token, keys);
  EXPECT_EQ(answer.status, JoinStatus::pending);
  EXPECT_EQ(answer.text, "LINE-7");
  EXPECT_FALSE(is_admitted("LINE-7"));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::pending) << "asking again changes nothing";
  certify("LINE-7");
  EXPECT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  EXPECT_TRUE(is_admitted("LINE-7"));
}

TEST_F(EnrolmentDeskTest, ADeniedOrRevokedDeviceIsRefused) {
  open(Signs::elsewhere);
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::pending);
  ASSERT_TRUE(devices->set_state("LINE-7", DeviceState::denied, "", by_operator));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::refused);
  ASSERT_TRUE(devices->set_state("LINE-7", DeviceState::revoked, "", by_operator));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::refused);
  EXPECT_FALSE(is_admitted("LINE-7"));
}

using AdversaryEnrolment = EnrolmentDeskTest;
TEST_F(AdversaryEnrolment, ACopiedTokenDoesNotEnrolASecondDevice) {
  const Keys owner, thief;
  ASSERT_EQ(ask(token, owner).status, JoinStatus::enrolled);
  const JoinAnswer answer = ask(token, thief);
  EXPECT_EQ(answer.status, JoinStatus::refused);
  EXPECT_THAT(answer.text, HasSubstr("used already"));
  EXPECT_EQ(ask(token, owner).status, JoinStatus::enrolled);
}

TEST_F(AdversaryEnrolment, AThiefWhoIsFirstIsNoticedByTheOwner) {
  const Keys owner, thief;
  ASSERT_EQ(ask(token, thief).status, JoinStatus::enrolled);
  EXPECT_THAT(ask(token, owner).text, HasSubstr("somebody else has: tell the operator"));
}

TEST_F(AdversaryEnrolment, AWrongSecretAndAnUnknownTokenAreTheSame) {
  const Keys keys;
  const JoinAnswer unknown = ask(make_token(), keys);
  const JoinAnswer wrong = ask(wrong_secret(), keys);
  EXPECT_EQ(unknown.status, JoinStatus::refused);
  EXPECT_EQ(enrolment::encode(unknown), enrolment::encode(wrong));
  now.value += 48 * hour;
  EXPECT_EQ(enrolment::encode(ask(wrong_secret(), keys)), enrolment::encode(wrong))
      << "only the owner of a token learns that it has expired";
  EXPECT_THAT(ask(token, keys).text, HasSubstr("expired"));
}

TEST_F(AdversaryEnrolment, GuessesAreLimitedForTheirAddressAndNobodyElse) {
  int looked_at = 0, busy = 0;
  for (int i = 0; i < 1'000; ++i) {
    steady += std::chrono::milliseconds(21);  // 21 s in all: above the limit of all visitors together
    const JoinAnswer answer = ask(wrong_secret(), Keys(), "198.51.100.1");
    (answer.status == JoinStatus::busy ? busy : looked_at)++;
  }
  EXPECT_GE(looked_at, 10);
  EXPECT_LE(looked_at, 13);
  EXPECT_EQ(looked_at + busy, 1'000);
  EXPECT_EQ(ask(token, Keys(), "198.51.100.1").status, JoinStatus::busy)
      << "even the right token has to wait there";
  EXPECT_EQ(ask(token, Keys(), "198.51.100.2").status, JoinStatus::enrolled);
}

TEST_F(AdversaryEnrolment, ADeviceThatWaitsIsNotHinderedByAGuesserAtItsAddress) {
  open(Signs::elsewhere);
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::pending);
  for (int i = 0; i < 20; ++i) static_cast<void>(ask(wrong_secret(), Keys()));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::pending);
}

TEST_F(AdversaryEnrolment, AKnownKeyDoesNotGuessWithoutALimit) {
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  const auto guess = [&] {
    int looked_at = 0;
    for (int i = 0; i < 100; ++i) {
      steady += std::chrono::milliseconds(21);
      if (ask(make_token(), keys, "198.51.100.1").status != JoinStatus::busy) ++looked_at;
    }
    return looked_at;
  };
  EXPECT_LE(guess(), 11) << "of an admitted device";
  EXPECT_EQ(ask(token, keys, "198.51.100.1").status, JoinStatus::enrolled) << "its own token is no guess";
  for (const auto state : {DeviceState::denied, DeviceState::removed, DeviceState::revoked}) {
    ASSERT_TRUE(devices->set_state("LINE-7", state, "", by_operator));
    EXPECT_LE(guess(), 1) << name(state);
    EXPECT_EQ(ask(token, keys, "198.51.100.1").status, JoinStatus::busy) << name(state);
  }
}

TEST_F(AdversaryEnrolment, AFloodFromManyAddressesIsLimitedInTotal) {
  int busy = 0;
  for (int i = 0; i < 1'000; ++i)
    if (ask(wrong_secret(), Keys(), "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250))
            .status == JoinStatus::busy)
      ++busy;
  EXPECT_EQ(busy, 800);
}

TEST_F(AdversaryEnrolment, AnotherDevicesIdentityIsNotCertified) {
  const Keys keys, other;
  auto request = enrolment::make_join_request(token, other.secret).value();
  const JoinAnswer answer = desk->answer(request, {keys.key, "192.0.2.7"}, now, steady);
  EXPECT_EQ(answer.status, JoinStatus::refused);
  EXPECT_EQ(devices->devices().value().size(), 0U);
  EXPECT_EQ(devices->find_token(token.id).value()->used, 0U);
}

TEST_F(AdversaryEnrolment, ARevokedKeyDoesNotComeBackWithAnotherToken) {
  const Keys keys;
  ASSERT_TRUE(revoke_key(folder / "admitted", "old", keys.key));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::refused);
  EXPECT_EQ(devices->find_token(token.id).value()->used, 0U);
}

TEST_F(AdversaryEnrolment, ADeviceWhoseFileWasRemovedDoesNotBringItselfBack) {
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  std::filesystem::remove(file_of("LINE-7"));
  // Also before the register has followed the folder.
  const JoinAnswer answer = ask(token, keys);
  EXPECT_EQ(answer.status, JoinStatus::refused);
  EXPECT_THAT(answer.text, HasSubstr("removed by the operator"));
  EXPECT_FALSE(is_admitted("LINE-7"));
  ASSERT_TRUE(devices->match_folder({}, by_operator).value());
  EXPECT_EQ(ask(token, keys).status, JoinStatus::refused);
  EXPECT_FALSE(is_admitted("LINE-7"));
}

TEST_F(AdversaryEnrolment, ADeviceDoesNotUndoTheRenewalOfItsCertificate) {
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  const auto renewed =
      enrolment::certify_file(file_of("LINE-7"), "pumps", root, {.issued = {now.value + hour}, .epoch = 2});
  ASSERT_TRUE(renewed) << renewed.error().text();
  const JoinAnswer answer = ask(token, keys);
  EXPECT_EQ(answer.status, JoinStatus::enrolled);
  EXPECT_EQ(answer.validity.epoch, 2U) << "the folder decides, not the register";
  EXPECT_EQ(enrolment::read_device_file(file_of("LINE-7"))->certificate->validity.epoch, 2U);
}

TEST_F(AdversaryEnrolment, ADeviceThatAsksInALoopChangesNoFile) {
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  const std::filesystem::file_time_type before{std::chrono::hours(1)};
  std::filesystem::last_write_time(file_of("LINE-7"), before);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(ask(token, keys).status, JoinStatus::enrolled);
  EXPECT_EQ(std::filesystem::last_write_time(file_of("LINE-7")), before);
}

TEST_F(AdversaryEnrolment, ARevokedKeyIsRefusedAlsoBeforeItsFileWasWritten) {
  open(Signs::elsewhere);
  const Keys keys;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::pending);
  certify("LINE-7");
  ASSERT_TRUE(revoke_key(folder / "admitted", "LINE-7", keys.key));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::refused);
  EXPECT_FALSE(is_admitted("LINE-7"));
}

TEST_F(AdversaryEnrolment, TheFileOfAnotherDeviceIsNotOverwritten) {
  open(Signs::elsewhere);
  const Keys keys, other;
  ASSERT_EQ(ask(token, keys).status, JoinStatus::pending);
  certify("LINE-7");
  ASSERT_TRUE(enrolment::write_device_file(enrolment::describe(other.secret).value(), file_of("LINE-7")));
  EXPECT_EQ(ask(token, keys).status, JoinStatus::busy) << "the operator's matter";
  EXPECT_EQ(enrolment::read_device_file(file_of("LINE-7"))->key, other.key);
}

TEST_F(AdversaryEnrolment, WithoutTheListOfRevokedKeysNobodyIsEnrolled) {
  std::filesystem::create_directory(folder / "admitted" / revoked_keys_file);  // it cannot be read as a file
  EXPECT_EQ(ask(token, Keys()).status, JoinStatus::busy);
  EXPECT_EQ(devices->find_token(token.id).value()->used, 0U);
}

TEST_F(AdversaryEnrolment, AnIpv6NetworkIsOneAddress) {
  using transport::network_of;
  EXPECT_EQ(network_of("2001:db8::1"), network_of("2001:db8::ffff:1"));
  EXPECT_NE(network_of("2001:db8::1"), network_of("2001:db8:0:1::1"));
  EXPECT_EQ(network_of("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of("::ffff:192.0.2.7"), "192.0.2.7")
      << "a socket for both gives IPv4 addresses in this form";
  EXPECT_EQ(network_of("fe80::1%eth0"), network_of("fe80::2%eth0"));
  EXPECT_NE(network_of("fe80::1%eth0"), network_of("fe80::1%eth1"));
  EXPECT_EQ(network_of("no address"), "no address");
}

TEST_F(EnrolmentDeskTest, EveryEnrolmentHasItsAuditEntries) {
  ASSERT_EQ(ask(token, Keys()).status, JoinStatus::enrolled);
  const auto entries = devices->audit().value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[1].act, "device.requested");
  EXPECT_THAT(entries[1].details, HasSubstr("from 192.0.2.7"));
  EXPECT_EQ(entries[2].act, "device.enrolled");
  EXPECT_FALSE(find_break(entries, ""));
}

}  // namespace
}  // namespace hansa::server
