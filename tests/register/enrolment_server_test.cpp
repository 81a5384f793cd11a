// The enrolment port with real sockets: a device joins, and somebody else does what it likes.
#include "server/enrolment/enrolment_server.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/config/client_config.h"
#include "client/join/join.h"
#include "client/join/rotate.h"
#include "client/keys/key_files.h"
#include "common/files.h"
#include "protocols/transport/client_channel.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/key_rotation.h"
#include "server/enrolment/signer.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class EnrolmentPort : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder / "admitted");
    devices.emplace(DeviceRegister::open(folder / "devices.sqlite").value());
    start(root);
  }
  void start(const secure_aggregation::SigningKey& signer, const std::string& bind = "tcp://127.0.0.1:0") {
    server.reset();
    DeskConfig config;
    config.federation = "pumps";
    config.aggregator = aggregator.key;
    config.admitted = folder / "admitted";
    config.client_addresses = {"tcp://pumps.example:7470"};
    config.root = root.public_key();
    auto certify = [&signer](const Device& device, UtcSeconds now) {
      return certify_device(device, signer, {"pumps", signer.public_key(), 1, 400}, now);
    };
    auto opened =
        EnrolmentServer::start(bind, aggregator.secret,
                               std::make_unique<EnrolmentDesk>(
                                   std::move(config), DeviceRegister::open(folder / "devices.sqlite").value(),
                                   certify, [](const EnrolmentDesk::News&) {}),
                               [](const Error&) {});
    ASSERT_TRUE(opened) << opened.error().text();
    server = std::move(*opened);
  }
  enrolment::JoinToken new_token() {
    enrolment::JoinToken out = make_token();
    out.address = server->endpoint();
    out.aggregator = aggregator.key;
    out.root = root.public_key();
    TokenRecord record = record_of(out);
    record.made = utc_seconds_now();
    record.expires = {record.made.value + hour};
    EXPECT_TRUE(devices->add_token(record, {"test", utc_seconds_now()}));
    return out;
  }
  Result<client::Joined> join(const enrolment::JoinToken& token, const std::string& name) {
    client::JoinPlan plan;
    plan.folder = folder / name;
    return client::join(
        token, plan, [](const std::string&) {}, stop);
  }

  Result<client::Rotated> rotate(const client::ClientConfig& config) {
    return client::rotate(
        config, {config.enrolment}, [](const std::string&) {}, stop);
  }

  TemporaryFolder folder;
  Keys aggregator;
  secure_aggregation::SigningKey root = secure_aggregation::SigningKey::generate().value();
  std::optional<DeviceRegister> devices;
  std::unique_ptr<EnrolmentServer> server;
  std::atomic<bool> stop = false;
};

TEST_F(EnrolmentPort, ADeviceJoinsAndItsConfigurationIsValid) {
  const auto token = new_token();
  const auto joined = join(token, "device");
  ASSERT_TRUE(joined) << joined.error().text();
  EXPECT_EQ(joined->name, "LINE-7");
  const auto config = client::read_client_config(folder / "device" / "client.toml");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->name, "LINE-7");
  EXPECT_EQ(config->federation, "pumps");
  EXPECT_EQ(config->addresses, std::vector<std::string>{"tcp://pumps.example:7470"});
  EXPECT_EQ(config->aggregator_key, aggregator.key);
  ASSERT_TRUE(config->secure_aggregation);
  EXPECT_EQ(config->secure_aggregation->root, root.public_key());
  // The secret key was made here, and only its owner may read it.
  ASSERT_TRUE(transport::read_secret_key(config->key));
  const auto permissions = std::filesystem::status(config->key).permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::mask,
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  // The file of admitted clients has the device's own key.
  const auto file = enrolment::read_device_file(folder / "admitted" / "LINE-7.pub");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->key, transport::read_secret_key(config->key)->public_key());
}

TEST_F(EnrolmentPort, AFolderThatHasJoinedIsLeftAlone) {
  ASSERT_TRUE(join(new_token(), "device"));
  const auto again = join(new_token(), "device");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::usage);
}

TEST_F(EnrolmentPort, AnInterruptedJoinContinuesWithTheSameKey) {
  const auto token = new_token();
  ASSERT_TRUE(join(token, "device"));
  std::filesystem::remove(folder / "device" / "client.toml");  // it was written last
  const auto again = join(token, "device");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(devices->devices().value().size(), 1U);
}

TEST_F(EnrolmentPort, ADeviceChangesItsKeyAndKeepsItsNameAndItsHoldOutKey) {
  ASSERT_TRUE(join(new_token(), "device"));
  const auto config = client::read_client_config(folder / "device" / "client.toml").value();
  EXPECT_EQ(config.enrolment, server->endpoint());
  const auto before = transport::read_secret_key(config.key).value();
  const auto hold_out = client::hold_out_key_of(config, before).value();
  const auto rotated = rotate(config);
  ASSERT_TRUE(rotated) << rotated.error().text();
  EXPECT_EQ(rotated->name, "LINE-7");
  const auto after = transport::read_secret_key(config.key).value();
  EXPECT_NE(after.public_key().value(), before.public_key().value());
  EXPECT_EQ(client::hold_out_key_of(config, after).value(), hold_out);
  EXPECT_FALSE(std::filesystem::exists(client::next_key_file(config)));
  const auto own = enrolment::read_device_file(client::public_file(config)).value();
  EXPECT_EQ(own.key, after.public_key().value());
  const auto next = find_next_key(folder / "admitted", "LINE-7");
  ASSERT_TRUE(next);
  EXPECT_EQ(next->key, after.public_key().value());
  // A second change keeps the hold-out key of the first key.
  ASSERT_TRUE(switch_key(folder / "admitted", "LINE-7"));
  ASSERT_TRUE(
      devices->match_folder(list_admitted(folder / "admitted").value(), {"aggregator", utc_seconds_now()}));
  const auto second = rotate(config);
  ASSERT_TRUE(second) << second.error().text();
  const auto last = transport::read_secret_key(config.key).value();
  EXPECT_EQ(client::hold_out_key_of(config, last).value(), hold_out);
}

TEST_F(EnrolmentPort, AnInterruptedChangeContinuesWithTheSameKey) {
  ASSERT_TRUE(join(new_token(), "device"));
  const auto config = client::read_client_config(folder / "device" / "client.toml").value();
  const auto before = read_text_file(config.key, 4'096).value();
  ASSERT_TRUE(rotate(config));
  const auto after = read_text_file(config.key, 4'096).value();
  // The last step was not done: client.pub is the new one, client.key the old one. The aggregator has switched meanwhile.
  ASSERT_TRUE(write_file_atomically(client::next_key_file(config), after, FileAccess::owner_only));
  ASSERT_TRUE(write_file_atomically(config.key, before, FileAccess::owner_only));
  ASSERT_TRUE(switch_key(folder / "admitted", "LINE-7"));
  ASSERT_TRUE(
      devices->match_folder(list_admitted(folder / "admitted").value(), {"aggregator", utc_seconds_now()}));
  const auto again = rotate(config);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(read_text_file(config.key, 4'096).value(), after);
}

TEST_F(EnrolmentPort, AKeyIsChangedByFilesWithoutThePort) {
  ASSERT_TRUE(join(new_token(), "device"));
  const auto config = client::read_client_config(folder / "device" / "client.toml").value();
  ASSERT_TRUE(client::write_request(config, folder / "LINE-7.rotation"));
  const auto request = enrolment::read_rotation_request(folder / "LINE-7.rotation").value();
  auto rotation = take_rotation(request, {"pumps", root.public_key()}, folder / "admitted", *devices,
                                "LINE-7.rotation", by_operator);
  ASSERT_TRUE(rotation) << rotation.error().text();
  const auto certified = certify_device(with_next_key(rotation->device, *rotation->next), root,
                                        {"pumps", root.public_key(), 1, 400}, utc_seconds_now());
  ASSERT_TRUE(admit_certified_key(rotation->device, *rotation->next, *certified, folder / "admitted",
                                  *devices, by_operator));
  const auto present = client::take_certificate(config, folder / "admitted" / "LINE-7.pub");
  ASSERT_FALSE(present) << "the certificate of the present key";
  EXPECT_EQ(present.error().code, ErrorCode::refused);
  const auto rotated = client::take_certificate(config, folder / "admitted" / "LINE-7.next");
  ASSERT_TRUE(rotated) << rotated.error().text();
  EXPECT_EQ(transport::read_secret_key(config.key)->public_key().value(), request.new_key);
}

using AdversaryEnrolmentPort = EnrolmentPort;
TEST_F(AdversaryEnrolmentPort, ACertificateOfAnotherRootDoesNotReplaceTheKey) {
  ASSERT_TRUE(join(new_token(), "device"));
  const auto config = client::read_client_config(folder / "device" / "client.toml").value();
  const auto before = read_text_file(config.key, 4'096).value();
  const auto other = secure_aggregation::SigningKey::generate().value();
  const std::string address = server->endpoint();
  start(other, address);
  const auto rotated = rotate(config);
  ASSERT_FALSE(rotated);
  EXPECT_EQ(rotated.error().code, ErrorCode::refused);
  EXPECT_EQ(read_text_file(config.key, 4'096).value(), before);
  EXPECT_EQ(enrolment::read_device_file(client::public_file(config))->key,
            transport::read_secret_key(config.key)->public_key().value());
}

TEST_F(AdversaryEnrolmentPort, ATokenIsRefusedOnASecondDevice) {
  const auto token = new_token();
  ASSERT_TRUE(join(token, "device"));
  const auto thief = join(token, "thief");
  ASSERT_FALSE(thief);
  EXPECT_EQ(thief.error().code, ErrorCode::refused);
  EXPECT_THAT(thief.error().text(), HasSubstr("used already"));
  EXPECT_FALSE(std::filesystem::exists(folder / "thief" / "client.toml"));
}

TEST_F(AdversaryEnrolmentPort, AnAggregatorThatIsNotTheOperatorsIsNotBelieved) {
  // It has the aggregator's key, and signs with a root of its own.
  const auto other = secure_aggregation::SigningKey::generate().value();
  start(other);
  const auto joined = join(new_token(), "device");
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, ErrorCode::refused);
  EXPECT_THAT(joined.error().text(), HasSubstr("did not sign"));
  EXPECT_FALSE(std::filesystem::exists(folder / "device" / "client.toml"));
}

TEST_F(AdversaryEnrolmentPort, AnAggregatorWithAnotherKeyGetsNoSecret) {
  auto token = new_token();
  token.aggregator = Keys().key;
  const auto joined = join(token, "device");
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().text(), HasSubstr("is probably not its key"));
  EXPECT_EQ(devices->find_token(token.id).value()->used, 0U);
}

// Guesses as fast as it can from one address: a device at another one joins.
TEST_F(AdversaryEnrolmentPort, AFloodOfGuessesDoesNotKeepAnotherAddressOut) {
  server.reset();
  start(root, "tcp://[::]:0");
  const std::string port = server->endpoint().substr(server->endpoint().rfind(':'));
  auto token = new_token();
  token.address = "tcp://[::1]" + port;
  std::atomic<bool> done = false;
  std::atomic<int> attempts = 0;
  std::thread attacker([&] {
    enrolment::JoinToken guess = make_token();
    guess.id = token.id;
    guess.aggregator = aggregator.key;
    while (!done) {
      const Keys keys;
      const auto frame = enrolment::encode(enrolment::make_join_request(guess, keys.secret).value());
      transport::ClientChannelConfig config;
      config.address = "tcp://127.0.0.1" + port;
      config.aggregator = aggregator.key;
      const auto channel = transport::ClientChannel::open(config, keys.secret).value();
      bool over = false;
      const transport::ClientChannel::Handlers handlers{
          .on_message = [&](std::span<const std::byte>, std::span<const std::byte>) { over = true; },
          .on_link =
              [&](const transport::LinkEvent& event) {
                over = event.kind != transport::LinkEvent::Kind::connected;
                for (int n = 0; n < 32 && !over; ++n) static_cast<void>(channel->send(frame, {}));
              }};
      while (!over && !done) channel->poll(std::chrono::milliseconds(20), handlers, 64);
      ++attempts;
    }
  });
  while (attempts < 100) std::this_thread::yield();
  const auto joined = join(token, "device");
  done = true;
  attacker.join();
  if (!joined && joined.error().code == ErrorCode::network)
    GTEST_SKIP() << "no IPv6: " << joined.error().text();
  EXPECT_TRUE(joined) << joined.error().text();
}

// A connection asks one question.
TEST_F(AdversaryEnrolmentPort, ASecondQuestionEndsTheConnection) {
  const auto token = new_token();
  const Keys keys;
  const auto frame = enrolment::encode(enrolment::make_join_request(token, keys.secret).value());
  transport::ClientChannelConfig config;
  config.address = token.address;
  config.aggregator = aggregator.key;
  const auto channel = transport::ClientChannel::open(config, keys.secret).value();
  bool ended = false;
  const transport::ClientChannel::Handlers handlers{
      .on_message = [&](std::span<const std::byte>,
                        std::span<const std::byte>) { static_cast<void>(channel->send(frame, {})); },
      .on_link =
          [&](const transport::LinkEvent& event) {
            if (event.kind == transport::LinkEvent::Kind::connected)
              static_cast<void>(channel->send(frame, {}));
            else ended = true;
          }};
  const Instant until = steady_now() + std::chrono::seconds(20);
  while (!ended && steady_now() < until) channel->poll(std::chrono::milliseconds(100), handlers, 4);
  EXPECT_TRUE(ended);
}

// Other messages, and those of the ordinary protocol, are not spoken here.
TEST_F(AdversaryEnrolmentPort, AMessageThatIsNoRequestEndsTheConnection) {
  transport::ClientChannelConfig config;
  config.address = server->endpoint();
  config.aggregator = aggregator.key;
  const Keys keys;
  const auto channel = transport::ClientChannel::open(config, keys.secret).value();
  const std::string hello = "HN an ordinary Hello";
  bool ended = false, answered = false;
  const transport::ClientChannel::Handlers handlers{
      .on_message = [&](std::span<const std::byte>, std::span<const std::byte>) { answered = true; },
      .on_link =
          [&](const transport::LinkEvent& event) {
            if (event.kind == transport::LinkEvent::Kind::connected)
              static_cast<void>(channel->send(std::as_bytes(std::span(hello)), {}));
            else ended = true;
          }};
  const Instant until = steady_now() + std::chrono::seconds(20);
  while (!ended && steady_now() < until) channel->poll(std::chrono::milliseconds(100), handlers, 4);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace hansa::server
