// What a user sees when a client cannot connect: a different message for each cause.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include "tests/transport/stranger.h"
#include "tests/transport/support.h"

namespace hansa::transport {
namespace {

using ::testing::AnyOf;
using testing::Client;
using ::testing::HasSubstr;
using testing::Roster;
using testing::Server;
using testing::Stranger;
using testing::until;
using Kind = LinkEvent::Kind;

constexpr Duration patient = std::chrono::seconds(10);
constexpr Duration hasty = std::chrono::milliseconds(300);

struct Link : ::testing::Test {
  Link() { roster.admit_as(key, "ada"); }
  // The first event that a client at this address receives.
  LinkEvent first_event(const std::string& address, Duration connect_max) {
    Client client(address, aggregator.public_key().value(), key, connect_max);
    EXPECT_TRUE(until([&] { return client.last_event() != nullptr; }, [&] { client.poll(); }));
    const LinkEvent event = client.last_event() != nullptr ? *client.last_event() : LinkEvent{};
    if (event.kind != Kind::connected) {
      EXPECT_EQ(event.error.location, address);
      EXPECT_FALSE(event.error.what.empty());
      EXPECT_FALSE(event.error.hint.empty());
    }
    // The end of a link is reported once.
    for (int i = 0; i < 3; ++i) client.poll();
    EXPECT_EQ(client.events.size(), 1u);
    return event;
  }
  SecretKey key = testing::new_key();
  SecretKey aggregator = testing::new_key();
  Roster roster;
};

TEST_F(Link, AnAddressWithoutAListenerIsUnreachable) {
  const std::string dead = testing::dead_address();
  const std::string port = dead.substr(dead.rfind(':'));
  for (const std::string& address : {dead, "tcp://localhost" + port}) {
    const LinkEvent event = first_event(address, patient);
    EXPECT_EQ(event.kind, Kind::unreachable);
    EXPECT_THAT(event.error.what, HasSubstr("nothing listens on this port")) << address;
  }
}

TEST_F(Link, AnUnknownHostNameIsUnreachable) {
  // A label of 64 characters is refused without a name server.
  const LinkEvent event = first_event("tcp://" + std::string(64, 'a') + ".invalid:7600", patient);
  EXPECT_EQ(event.kind, Kind::unreachable);
  EXPECT_THAT(event.error.what, HasSubstr("host name"));
}

TEST_F(Link, AWrongPinnedKeyIsReportedAtBothEnds) {
  Server server(roster);
  const LinkEvent event = first_event(server.channel->endpoint(), patient);
  EXPECT_EQ(event.kind, Kind::wrong_key);
  EXPECT_THAT(event.error.text(), HasSubstr(aggregator.public_key().value().text()));
  ASSERT_TRUE(until([&] { return !server.refused.empty(); }, [&] { server.poll(); }));
  EXPECT_THAT(server.refused[0].text(), HasSubstr("a client with another aggregator's key pinned"));
}

TEST_F(Link, KeyThatIsNotAdmittedIsRefusedAndNotUnreachable) {
  Server server(roster);
  const SecretKey stranger = testing::new_key();
  Client client(server, stranger);
  ASSERT_TRUE(until([&] { return client.last_event() != nullptr; }, [&] { client.poll(); }));
  EXPECT_EQ(client.last_event()->kind, Kind::refused);
}

TEST_F(Link, WebServerIsNotHansa) {
  const Stranger stranger(Stranger::Habit::answers_http);
  EXPECT_EQ(first_event(stranger.address(), patient).kind, Kind::not_hansa);
}

TEST_F(Link, EchoServerIsNotHansa) {
  const Stranger stranger(Stranger::Habit::echoes);
  EXPECT_EQ(first_event(stranger.address(), patient).kind, Kind::not_hansa);
}

TEST_F(Link, AServerThatSendsNothingIsNotHansaAfterTheTimeout) {
  const Stranger stranger(Stranger::Habit::says_nothing);
  EXPECT_EQ(first_event(stranger.address(), hasty).kind, Kind::not_hansa);
}

TEST_F(Link, AServerThatClosesTheConnectionIsNotMistakenForAnAggregator) {
  // libzmq does not report how far an interrupted handshake was, so this looks like a wrong key.
  const Stranger stranger(Stranger::Habit::hangs_up);
  EXPECT_THAT(first_event(stranger.address(), patient).kind, AnyOf(Kind::wrong_key, Kind::not_hansa));
}

TEST_F(Link, AggregatorThatEndsIsADisconnection) {
  std::optional<Server> server(std::in_place, roster);
  Client client(*server, key);
  ASSERT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(); }));
  server.reset();
  ASSERT_TRUE(until([&] { return !client.connected(); }, [&] { client.poll(); }));
  EXPECT_EQ(client.last_event()->kind, Kind::disconnected);
}

TEST_F(Link, HostNameIsResolved) {
  addrinfo* found = nullptr;
  if (::getaddrinfo("localhost", nullptr, nullptr, &found) != 0)
    GTEST_SKIP() << "this machine cannot resolve localhost: no entry in /etc/hosts";
  ::freeaddrinfo(found);
  Server server(roster);
  const std::string endpoint = server.channel->endpoint();
  Client client("tcp://localhost" + endpoint.substr(endpoint.rfind(':')), server.key.public_key().value(),
                key);
  EXPECT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(); }));
}

TEST_F(Link, IpV6AddressWorks) {
  const SecretKey server_key = testing::new_key();
  const auto channel = ServerChannel::open({.bind = "tcp://[::1]:0"}, server_key, roster);
  if (!channel) GTEST_SKIP() << "no IPv6 here: " << channel.error().text();
  Client client((*channel)->endpoint(), server_key.public_key().value(), key);
  EXPECT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(); }));
}

TEST_F(Link, MalformedAddressIsRefusedWithItsShape) {
  for (const char* address :
       {"", "127.0.0.1:5", "tcp://host", "tcp://:7600", "tcp://host:", "tcp://host:0", "tcp://host:65536",
        "tcp://host:7600/", "tcp://ho st:7600", "tcp://a;b:7600", "ipc:///tmp/x:1", "tcp://[::1:7600",
        "tcp://[x]:7600", "tcp://::1:7600", "tcp://host:+1", "tcp://*:7600", "inproc://zeromq.zap.01"}) {
    ClientChannelConfig config;
    config.address = address;
    config.aggregator = aggregator.public_key().value();
    const auto channel = ClientChannel::open(config, key);
    ASSERT_FALSE(channel) << address;
    EXPECT_EQ(channel.error().code, ErrorCode::usage) << address;
    EXPECT_EQ(channel.error().hint, "an address looks like \"tcp://HOST:PORT\"") << address;
  }
}

}  // namespace
}  // namespace hansa::transport
