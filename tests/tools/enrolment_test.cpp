// The operator's commands for devices: invite, approve, revoke, quarantine.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/config/client_config.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/join_messages.h"
#include "protocols/enrolment/rotation_request.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/enrolment_desk.h"
#include "tests/temporary_folder.h"
#include "tools/approval.h"
#include "server/control/device_control.h"
#include "tools/federation_folder.h"
#include "server/control/invitation.h"
#include "tools/kit.h"
#include "tools/membership.h"
#include "tools/qr_code.h"
#include "tools/scaffold.h"
#include "tools/tar_file.h"

namespace hansa::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;
using server::DeviceState;
using server::InvitationPlan;
using server::parse_time_span;

InvitationPlan labelled(const std::string& label) {
  InvitationPlan out;
  out.label = label;
  return out;
}

class OperatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ScaffoldPlan plan;
    plan.folder = folder();
    plan.clients = {"a", "b", "c"};
    ASSERT_TRUE(scaffold(plan));
    const auto text = read_text_file(folder() / "federation.toml", 1 << 20);
    ASSERT_TRUE(write_file_atomically(
        folder() / "federation.toml",
        *text + "\n[enrolment]\nbind = \"tcp://0.0.0.0:7472\"\naddress = \"tcp://mine.example:7472\"\n"));
    config = read_federation_folder(folder()).value();
    devices.emplace(open_register(config, acting).value());
    root.emplace(read_operator_key(config, folder(), {}).value());
  }
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "mine"; }
  [[nodiscard]] bool is_admitted(const std::string& name) const {
    return fs::exists(folder() / "admitted" / (name + ".pub"));
  }
  // A device presents a token to the aggregator.
  enrolment::JoinAnswer ask(const std::string& token_text, const transport::SecretKey& secret) {
    const auto token = enrolment::parse_join_token(token_text).value();
    server::DeskConfig desk_config{
        config.name, token.aggregator, config.admitted, {"tcp://mine.example:7470"}};
    server::EnrolmentDesk desk(std::move(desk_config),
                               server::DeviceRegister::open(folder() / "devices.sqlite").value(), nullptr,
                               [](const server::EnrolmentDesk::News&) {});
    return desk.answer(enrolment::make_join_request(token, secret).value(),
                       {secret.public_key().value(), "192.0.2.7"}, utc_seconds_now(), steady_now());
  }
  std::string pending(const std::string& label) {
    const auto invitation = invite(config, labelled(label), *devices, acting);
    EXPECT_TRUE(invitation) << invitation.error().text();
    secrets.push_back(transport::generate_secret_key().value());
    const auto answer = ask(invitation->token, secrets.back());
    EXPECT_EQ(answer.status, enrolment::JoinStatus::pending) << answer.text;
    return invitation->token;
  }

  // The file with which a device asks for a new key, which is the last of `secrets`.
  fs::path rotation_of(const std::string& name) {
    const auto present = transport::read_secret_key(folder() / "sites" / name / "client.key").value();
    secrets.push_back(transport::generate_secret_key().value());
    const auto request = enrolment::make_rotation_request({"mine", *config.root}, present, secrets.back());
    fs::path out = temporary_.path() / (name + ".rotation");
    EXPECT_TRUE(enrolment::write_rotation_request(request.value(), out));
    return out;
  }

  TemporaryFolder temporary_;
  server::FederationConfig config;
  server::Acting acting = server::acting_operator(utc_seconds_now());
  std::optional<server::DeviceRegister> devices;
  std::optional<secure_aggregation::SigningKey> root;
  std::vector<transport::SecretKey> secrets;
};

TEST_F(OperatorTest, AnInvitationNamesTheFederationAndItsTerms) {
  const auto invitation = invite(config, labelled("LINE-7"), *devices, acting);
  ASSERT_TRUE(invitation) << invitation.error().text();
  const auto token = enrolment::parse_join_token(invitation->token);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->federation, "mine");
  EXPECT_EQ(token->address, "tcp://mine.example:7472");
  EXPECT_EQ(token->root, *config.root);
  EXPECT_TRUE(token->terms.secure);
  EXPECT_EQ(token->terms.honest_min, 2) << "as in the client.toml of the other clients";
  EXPECT_EQ(invitation->expires.value, acting.at.value + 24 * 3'600);
}

TEST_F(OperatorTest, TheSecretIsStoredNowhere) {
  const auto invitation = invite(config, labelled("LINE-7"), *devices, acting);
  const auto token = enrolment::parse_join_token(invitation->token).value();
  const auto secret = token.secret.bytes();
  const std::string needle(reinterpret_cast<const char*>(secret.data()), secret.size());
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (!entry.is_regular_file()) continue;
    const auto content = read_text_file(entry.path(), 64 << 20).value();
    EXPECT_EQ(content.find(needle), std::string::npos) << entry.path();
    EXPECT_EQ(content.find(invitation->token), std::string::npos) << entry.path();
  }
}

TEST_F(OperatorTest, WithoutAnEnrolmentPortThereIsNoInvitation) {
  const auto text = read_text_file(folder() / "federation.toml", 1 << 20).value();
  ASSERT_TRUE(
      write_file_atomically(folder() / "federation.toml", text.substr(0, text.find("\n[enrolment]\nbind"))));
  EXPECT_THAT(invite(config, labelled("LINE-7"), *devices, acting).error().text(), HasSubstr("[enrolment]"));
}

TEST_F(OperatorTest, AnApprovedDeviceIsCertifiedAndAdmitted) {
  const std::string token = pending("LINE-7");
  EXPECT_FALSE(is_admitted("LINE-7"));
  const auto approved = approve_devices(config, {"LINE-7"}, *root, {}, *devices, acting);
  ASSERT_TRUE(approved) << approved.error().text();
  EXPECT_TRUE(is_admitted("LINE-7"));
  const auto answer = ask(token, secrets[0]);
  EXPECT_EQ(answer.status, enrolment::JoinStatus::enrolled) << answer.text;
  EXPECT_FALSE(approve_devices(config, {"LINE-7"}, *root, {}, *devices, acting))
      << "it does not wait any more";
}

using AdversaryApproval = OperatorTest;
TEST_F(AdversaryApproval, AnIdentityThatSomebodyPutIntoTheRegisterIsNotCertified) {
  static_cast<void>(pending("LINE-7"));
  const auto own = enrolment::identity_of(secrets[0])->public_key();
  const auto of_another = secure_aggregation::SigningKey::generate()->public_key();
  ApprovalTerms terms;
  terms.identity = of_another;  // what the operator reads on the device
  const auto refused = approve_devices(config, {"LINE-7"}, *root, terms, *devices, acting);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::refused);
  EXPECT_THAT(refused.error().text(), HasSubstr(enrolment::text_of(own)));
  EXPECT_FALSE(is_admitted("LINE-7"));
  terms.identity = own;
  EXPECT_EQ(approve_devices(config, {"LINE-7", "LINE-8"}, *root, terms, *devices, acting).error().code,
            ErrorCode::usage);
  EXPECT_TRUE(approve_devices(config, {"LINE-7"}, *root, terms, *devices, acting));
  EXPECT_TRUE(is_admitted("LINE-7"));
}

TEST_F(OperatorTest, ADeniedDeviceIsNotAdmitted) {
  const std::string token = pending("LINE-7");
  ASSERT_TRUE(deny_device(config, "LINE-7", *devices, acting));
  EXPECT_FALSE(approve_devices(config, {"LINE-7"}, *root, {}, *devices, acting));
  EXPECT_EQ(ask(token, secrets[0]).status, enrolment::JoinStatus::refused);
}

TEST_F(OperatorTest, RequestsAreCarriedToARootKeyWithoutANetworkAndBack) {
  static_cast<void>(pending("LINE-7"));
  static_cast<void>(pending("LINE-8"));
  const fs::path carried = temporary_.path() / "carried";
  EXPECT_THAT(export_requests(carried, *devices).value(), ElementsAre("LINE-7", "LINE-8"));
  // On the operator's machine: "hansa keys certify".
  ASSERT_TRUE(enrolment::certify_file(carried / "LINE-7.pub", "mine", *root, {utc_seconds_now()}));
  fs::remove(carried / "LINE-8.pub");
  const auto imported = import_certificates(config, carried, *devices, acting);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_THAT(*imported, ElementsAre("LINE-7"));
  EXPECT_TRUE(is_admitted("LINE-7"));
  EXPECT_FALSE(is_admitted("LINE-8"));
  EXPECT_THAT(import_certificates(config, carried, *devices, acting).value(), IsEmpty());
}

TEST_F(OperatorTest, ACarriedFileThatTheRootDidNotSignForThisKeyIsRefused) {
  static_cast<void>(pending("LINE-7"));
  const fs::path carried = temporary_.path() / "carried";
  ASSERT_TRUE(export_requests(carried, *devices));
  const auto other_root = secure_aggregation::SigningKey::generate().value();
  ASSERT_TRUE(enrolment::certify_file(carried / "LINE-7.pub", "mine", other_root, {utc_seconds_now()}));
  EXPECT_EQ(import_certificates(config, carried, *devices, acting).error().code, ErrorCode::refused);
  // Certified by the right root, but another device's key.
  const auto other = transport::generate_secret_key().value();
  ASSERT_TRUE(enrolment::write_device_file(enrolment::describe(other).value(), carried / "LINE-7.pub"));
  ASSERT_TRUE(enrolment::certify_file(carried / "LINE-7.pub", "mine", *root, {utc_seconds_now()}));
  EXPECT_THAT(import_certificates(config, carried, *devices, acting).error().text(),
              HasSubstr("another key"));
  EXPECT_FALSE(is_admitted("LINE-7"));
}

TEST_F(OperatorTest, ARevokedDeviceComesBackNeitherByItsFileNorByItsFolder) {
  const fs::path file = folder() / "admitted" / "a.pub";
  const auto copy = read_text_file(file, 4096).value();
  ASSERT_TRUE(revoke(config, "a", "stolen", *devices, acting));
  EXPECT_FALSE(is_admitted("a"));
  ASSERT_TRUE(write_file_atomically(file, copy));
  EXPECT_THAT(server::list_admitted(config.admitted)->size(), 2U);
  fs::remove(file);
  const auto added = add_client({folder(), "a", {}, {}});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().text(), HasSubstr("revoked"));
  EXPECT_FALSE(revoke(config, "a", "", *devices, acting)) << "it is revoked already";
}

TEST_F(OperatorTest, AQuarantinedDeviceIsOutUntilItIsReleased) {
  ASSERT_TRUE(quarantine(config, "a", "strange", *devices, acting));
  EXPECT_FALSE(is_admitted("a"));
  EXPECT_EQ(devices->find("a").value()->state, DeviceState::quarantined);
  // The aggregator and every command compare the register with the folder.
  devices.emplace(open_register(config, acting).value());
  EXPECT_EQ(devices->find("a").value()->state, DeviceState::quarantined);
  auto history = open_history(config).value();
  const auto released = release(config, "a", *devices, history, acting);
  ASSERT_TRUE(released) << released.error().text();
  EXPECT_TRUE(released->quarantine);
  EXPECT_FALSE(released->faults);
  EXPECT_TRUE(is_admitted("a"));
  EXPECT_EQ(devices->find("a").value()->state, DeviceState::admitted);
}

TEST_F(OperatorTest, AnApprovedNextKeyIsAdmittedAlongsideThePresentOne) {
  const fs::path file = rotation_of("a");
  const auto asked = add_rotation(config, file, *devices, acting);
  ASSERT_TRUE(asked) << asked.error().text();
  const auto waiting = pending_requests(*devices).value();
  ASSERT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting[0].device.name, "a");
  ASSERT_TRUE(waiting[0].next);
  const auto approved = approve_devices(config, {"a"}, *root, {}, *devices, acting);
  ASSERT_TRUE(approved) << approved.error().text();
  const auto next = server::find_next_key(config.admitted, "a");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->key, secrets.back().public_key().value());
  EXPECT_THAT(pending_requests(*devices).value(), IsEmpty());
  EXPECT_TRUE(is_admitted("a"));
}

TEST_F(OperatorTest, ANextKeyIsCarriedToARootKeyWithoutANetworkAndBack) {
  ASSERT_TRUE(add_rotation(config, rotation_of("a"), *devices, acting));
  const fs::path carried = temporary_.path() / "carried";
  EXPECT_THAT(export_requests(carried, *devices).value(), ElementsAre("a"));
  ASSERT_TRUE(enrolment::certify_file(carried / "a.pub", "mine", *root, {utc_seconds_now()}));
  EXPECT_THAT(import_certificates(config, carried, *devices, acting).value(), ElementsAre("a"));
  EXPECT_TRUE(server::find_next_key(config.admitted, "a"));
}

TEST_F(OperatorTest, ADeniedNextKeyIsNotAdmittedAlsoAfterItWasCertified) {
  const fs::path file = rotation_of("a");
  ASSERT_TRUE(add_rotation(config, file, *devices, acting));
  ASSERT_TRUE(approve_devices(config, {"a"}, *root, {}, *devices, acting));
  ASSERT_TRUE(deny_device(config, "a", *devices, acting));
  EXPECT_FALSE(server::find_next_key(config.admitted, "a"));
  EXPECT_EQ(add_rotation(config, file, *devices, acting).error().code, ErrorCode::refused);
  EXPECT_TRUE(is_admitted("a"));
  EXPECT_EQ(devices->find("a").value()->state, DeviceState::admitted);
}

TEST_F(OperatorTest, ARevokedDeviceLosesItsNextKeyToo) {
  ASSERT_TRUE(add_rotation(config, rotation_of("a"), *devices, acting));
  ASSERT_TRUE(approve_devices(config, {"a"}, *root, {}, *devices, acting));
  ASSERT_TRUE(revoke(config, "a", "stolen", *devices, acting));
  EXPECT_FALSE(fs::exists(config.admitted / "a.next"));
  EXPECT_TRUE(server::read_revoked_keys(config.admitted)->contains(secrets.back().public_key().value()));
  EXPECT_FALSE(devices->find_next_key("a").value());
}

TEST_F(OperatorTest, AReleaseForgetsTheFaultsOfADevice) {
  auto history = open_history(config).value();
  ASSERT_TRUE(history.replace_standings({{"a", {3, 0, {acting.at.value + 600}}}}));
  const auto released = release(config, "a", *devices, history, acting);
  ASSERT_TRUE(released) << released.error().text();
  EXPECT_TRUE(released->faults);
  EXPECT_FALSE(released->quarantine);
  EXPECT_TRUE(is_admitted("a"));
  EXPECT_THAT(history.standings().value(), IsEmpty());
  EXPECT_EQ(devices->audit().value().back().act, "device.released");
  const auto again = release(config, "a", *devices, history, acting);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::usage);
}

TEST_F(OperatorTest, AMisspelledDeviceIsSuggested) {
  EXPECT_THAT(revoke(config, "aa", "", *devices, acting).error().text(), HasSubstr("did you mean \"a\"?"));
}

TEST_F(OperatorTest, AddedAndRemovedClientsAreInTheAuditLog) {
  ASSERT_TRUE(add_client({folder(), "d", {}, {}}));
  ASSERT_TRUE(remove_client(folder(), "d"));
  const auto entries = devices->audit().value();
  ASSERT_GE(entries.size(), 2U);
  EXPECT_EQ(entries[entries.size() - 2].act, "device.admitted");
  EXPECT_EQ(entries.back().act, "device.removed");
  EXPECT_EQ(entries.back().subject, "d");
  EXPECT_THAT(entries.back().actor, HasSubstr("operator "));
}

TEST_F(OperatorTest, AKitHasAllThatASiteNeedsAndOnlyItsOwnerReadsIt) {
  const fs::path out = temporary_.path() / "ward-3.tar.gz";
  const auto kit = make_kit({folder(), "ward-3", {}, {}}, out);
  ASSERT_TRUE(kit) << kit.error().text();
  EXPECT_TRUE(is_admitted("ward-3"));
  EXPECT_EQ(fs::status(out).permissions() & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write);
  const std::string unpack = "cd " + temporary_.path().string() + " && tar -xzf ward-3.tar.gz";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  const auto client = client::read_client_config(temporary_.path() / "ward-3" / "client.toml");
  ASSERT_TRUE(client) << client.error().text();
  EXPECT_TRUE(transport::read_secret_key(client->key)) << "it is private after unpacking";
  EXPECT_TRUE(fs::exists(temporary_.path() / "ward-3" / "client.pub"));
  EXPECT_FALSE(make_kit({folder(), "ward-3", {}, {}}, out)) << "the file exists";
  EXPECT_TRUE(make_kit({folder(), "ward-3", {}, {}}, temporary_.path() / "again.tar.gz"));
}

TEST_F(OperatorTest, AKitHasTheDataThatTheOperatorNames) {
  AddPlan plan{folder(), "ward-3", {}, {}};
  plan.data = "kind = \"csv\"\nfile = \"/srv/pumps.csv\"\nlabel = \"state\"";
  const fs::path out = temporary_.path() / "ward-3.tar.gz";
  const auto kit = make_kit(plan, out);
  ASSERT_TRUE(kit) << kit.error().text();
  const std::string unpack = "cd " + temporary_.path().string() + " && tar -xzf ward-3.tar.gz";
  ASSERT_EQ(std::system(unpack.c_str()), 0);
  const fs::path site = temporary_.path() / "ward-3";
  EXPECT_TRUE(client::read_client_config(site / "client.toml"));
  EXPECT_THAT(read_text_file(site / "client.toml", 1 << 20).value(),
              HasSubstr("[data]\n" + plan.data + "\n"));
  EXPECT_THAT(read_text_file(site / "README.txt", 1 << 20).value(),
              HasSubstr("where [data] in ward-3/client.toml expects it"));
  // The folder is the operator's now.
  const auto again = make_kit(plan, temporary_.path() / "again.tar.gz");
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text(), HasSubstr("has its [data] already"));
}

TEST_F(OperatorTest, DataThatMakesTheConfigurationInvalidAddsNobody) {
  AddPlan plan{folder(), "ward-3", {}, {}};
  plan.data = "kind = \"none of them\"\n";
  const auto kit = make_kit(plan, temporary_.path() / "ward-3.tar.gz");
  ASSERT_FALSE(kit);
  EXPECT_EQ(kit.error().code, ErrorCode::usage);
  EXPECT_THAT(kit.error().text(), HasSubstr("client.toml: would be invalid"));
  EXPECT_FALSE(is_admitted("ward-3"));
  EXPECT_FALSE(fs::exists(folder() / "sites" / "ward-3"));
}

using AdversaryKit = OperatorTest;
TEST_F(AdversaryKit, AFolderThatAnotherUserHasMadeInAdvanceIsNotUsed) {
  const fs::path out = temporary_.path() / "ward-3.tar.gz";
  const fs::path guessed = out.string() + ".kit.tmp" + std::to_string(::getpid());
  fs::create_directory(guessed);
  fs::permissions(guessed, fs::perms::all);
  ASSERT_TRUE(write_file_atomically(guessed / "kit.tar.gz", "theirs"));
  const auto kit = make_kit({folder(), "ward-3", {}, {}}, out);
  ASSERT_TRUE(kit) << kit.error().text();
  EXPECT_EQ(read_text_file(guessed / "kit.tar.gz", 64).value(), "theirs");
  EXPECT_EQ(fs::status(guessed).permissions() & fs::perms::mask, fs::perms::all);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(temporary_.path()))
    if (entry.path().filename().string().starts_with("ward-3")) left.push_back(entry.path().string());
  EXPECT_THAT(left, ::testing::UnorderedElementsAre(out.string(), guessed.string()));
}

TEST_F(AdversaryKit, TheArchiveIsPrivateFromItsFirstByte) {
  const mode_t before = ::umask(0);
  const fs::path path = temporary_.path() / "secret.tar.gz";
  const auto tar = TarFile::create(path, FileAccess::owner_only);
  ::umask(before);
  ASSERT_TRUE(tar);
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write);
}

TEST(TimeSpan, IsANumberWithAUnit) {
  EXPECT_EQ(parse_time_span("90s", "").value(), 90U);
  EXPECT_EQ(parse_time_span("30m", "").value(), 1'800U);
  EXPECT_EQ(parse_time_span("24h", "").value(), 86'400U);
  EXPECT_EQ(parse_time_span("7d", "").value(), 604'800U);
  for (const char* wrong : {"", "24", "h", "0h", "-1h", "1w", "99999999999d", "1h2"})
    EXPECT_FALSE(parse_time_span(wrong, "")) << wrong;
}

TEST(QrCode, HasASquareOfHalfBlocks) {
  const auto code = qr_code(std::string(230, 'A'));
  ASSERT_TRUE(code);
  std::size_t lines = 0, first = 0;
  for (std::size_t at = 0; at < code->size(); ++lines) {
    const std::size_t end = code->find('\n', at);
    std::size_t characters = 0;
    for (std::size_t i = at; i < end; ++i)
      if ((static_cast<unsigned char>((*code)[i]) & 0xC0) != 0x80) ++characters;
    if (lines == 0) first = characters;
    EXPECT_EQ(characters, first);
    at = end + 1;
  }
  EXPECT_EQ(lines, (first + 1) / 2);
  EXPECT_FALSE(qr_code(std::string(5'000, 'A')));
}

}  // namespace
}  // namespace hansa::tools
