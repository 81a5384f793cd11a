// An aggregator behind a proxy: SOCKS5, and HTTP with CONNECT.
#include "tests/transport/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/stranger.h"
#include "tests/transport/support.h"

namespace hansa::transport {
namespace {

using testing::Client;
using ::testing::HasSubstr;
using testing::Proxy;
using testing::Roster;
using testing::Server;
using testing::until;
using Kind = LinkEvent::Kind;

struct ThroughProxy : ::testing::TestWithParam<const char*> {
  ThroughProxy() { roster.admit_as(key, "ada"); }
  std::unique_ptr<Client> connect(const std::string& proxy) {
    ClientChannelConfig config;
    config.address = server.channel->endpoint();
    config.aggregator = server.key.public_key().value();
    config.proxy = GetParam() + std::string("://") + proxy;
    auto client = std::make_unique<Client>(server, key);
    client->channel = ClientChannel::open(config, key).value();
    return client;
  }
  SecretKey key = testing::new_key();
  Roster roster;
  Server server{roster};
};

TEST_P(ThroughProxy, MessagesGoBothWays) {
  Proxy proxy(Proxy::Mood::helps);
  const auto client = connect(proxy.host_and_port());
  const auto turn = [&] {
    client->poll();
    server.poll();
  };
  ASSERT_TRUE(until([&] { return client->connected(); }, turn));
  EXPECT_EQ(proxy.served(), 1);
  EXPECT_EQ("tcp://" + proxy.target(), server.channel->endpoint());
  // A connection whose first message is large would be closed (connection_limits.h).
  ASSERT_TRUE(client->channel->send(testing::bytes("hello"), {}));
  ASSERT_TRUE(until([&] { return !server.received.empty(); }, turn));
  server.received.clear();
  const auto large = std::make_shared<const std::string>(1'000'000, 'x');
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(client->channel->send(testing::bytes("up"), {large, std::as_bytes(std::span(*large))}));
  ASSERT_TRUE(until([&] { return server.received.size() == 5; }, turn));
  for (const auto& received : server.received) {
    EXPECT_EQ(received.client, "ada");
    EXPECT_EQ(received.bulk, *large);
  }
  const PeerId peer = server.received.front().peer;
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(server.channel->send(peer, testing::bytes("down"), {large, std::as_bytes(std::span(*large))}),
              Sent::queued);
  ASSERT_TRUE(until([&] { return client->received.size() == 5; }, turn));
  EXPECT_EQ(client->received.back().bulk, *large);
}

TEST_P(ThroughProxy, AProxyThatRefusesOrIsMissingIsReported) {
  Proxy proxy(Proxy::Mood::refuses);
  const std::string nobody = testing::dead_address().substr(6);
  for (const std::string& at : {proxy.host_and_port(), nobody}) {
    const auto client = connect(at);
    ASSERT_TRUE(until([&] { return client->last_event() != nullptr; }, [&] { client->poll(); }));
    EXPECT_EQ(client->last_event()->kind, Kind::unreachable);
    const std::string error = client->last_event()->error.text();
    EXPECT_THAT(error, HasSubstr("aggregator.proxy"));
    const bool http = GetParam() == std::string("http");
    EXPECT_THAT(error, HasSubstr(at == nobody ? "cannot be reached"
                                 : http       ? "403 Forbidden"
                                              : "forbidden by its rules"));
  }
}

TEST_P(ThroughProxy, ClosingTheChannelEndsTheTunnel) {
  Proxy proxy(Proxy::Mood::helps);
  for (int i = 0; i < 3; ++i) {
    const auto client = connect(proxy.host_and_port());
    ASSERT_TRUE(until([&] { return client->connected(); },
                      [&] {
                        client->poll();
                        server.poll();
                      }));
  }
  EXPECT_EQ(proxy.served(), 3);
  connect(proxy.host_and_port());  // closed before any byte is exchanged
}
INSTANTIATE_TEST_SUITE_P(Kinds, ThroughProxy, ::testing::Values("http", "socks5"),
                         [](const auto& name) { return std::string(name.param); });

TEST(Proxies, InvalidProxiesAreRefused) {
  for (const char* good : {"http://proxy:8888", "socks5://127.0.0.1:1080", "http://[::1]:3128"})
    EXPECT_TRUE(check_proxy(good)) << good;
  for (const char* bad :
       {"", "proxy:8888", "https://proxy:8888", "socks://a:1", "http://proxy", "http://a:0", "http://:1"}) {
    const auto checked = check_proxy(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, ErrorCode::usage);
    EXPECT_THAT(checked.error().hint, HasSubstr("socks5://HOST:PORT"));
  }
}

}  // namespace
}  // namespace hansa::transport
