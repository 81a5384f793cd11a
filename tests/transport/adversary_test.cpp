// Attacks on the aggregator's channel with real sockets: by admitted keys, and by outsiders that only connect.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <list>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "common/descriptor.h"
#include "tests/transport/raw_client.h"
#include "tests/transport/support.h"

namespace hansa::transport {
namespace {

using testing::bytes;
using testing::Client;
using testing::RawClient;
using testing::Roster;
using testing::Server;
using testing::until;

constexpr const char* loopback = "tcp://127.0.0.1:0";

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint16_t port_of(const Server& server) {
  const std::string endpoint = server.channel->endpoint();
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

Descriptor connect_tcp(std::uint16_t port) {
  Descriptor out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return Descriptor();
  return out;
}

// Many connections with one key, in one context.
class Swarm {
 public:
  Swarm(const Server& server, const SecretKey& key) : server_(server), key_(key) {}
  void add() {
    zmq::socket_t& socket = sockets_.emplace_back(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::curve_serverkey, server_.key.public_key().value().text());
    socket.set(zmq::sockopt::curve_publickey, key_.public_key().value().text());
    socket.set(zmq::sockopt::curve_secretkey, key_.z85());
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);
    socket.connect(server_.channel->endpoint());
    socket.send(zmq::str_buffer("hello"), zmq::send_flags::none);
  }
  zmq::socket_t& back() { return sockets_.back(); }

 private:
  const Server& server_;
  const SecretKey& key_;
  zmq::context_t context_;
  std::list<zmq::socket_t> sockets_;
};

struct AdversaryTransport : ::testing::Test {
  AdversaryTransport() { roster.admit_as(mallory, "mallory"), roster.admit_as(bob, "bob"); }
  static ServerChannelConfig with(const ConnectionLimits& limits) {
    ServerChannelConfig config;
    config.bind = loopback;
    config.limits = limits;
    return config;
  }
  static bool refused(const Server& server, const std::string& what) {
    return std::any_of(server.refused.begin(), server.refused.end(),
                       [&](const Error& error) { return error.text().find(what) != std::string::npos; });
  }
  // An honest client connects and is heard.
  bool is_served(Server& server) {
    Client client(server, bob);
    if (!until([&] { return client.connected(); }, [&] { client.poll(), server.poll(); })) return false;
    // Messages of others may arrive with it, before or after.
    const auto heard = [&] {
      return std::ranges::count_if(server.received,
                                   [](const auto& received) { return received.message == "honest"; });
    };
    const auto before = heard();
    (void)client.channel->send(bytes("honest"), {});
    return until([&] { return heard() > before; }, [&] { server.poll(); });
  }

  SecretKey mallory = testing::new_key();
  SecretKey bob = testing::new_key();
  Roster roster;
};

TEST_F(AdversaryTransport, AnUnfinishedMessageOf600MegabytesIsCutShort) {
  Server server(roster);
  static const std::string megabyte(1 << 20, 'x');
  const std::uint64_t before = resident_bytes();
  Swarm swarm(server, mallory);
  swarm.add();
  ASSERT_TRUE(until([&] { return !server.received.empty(); }, [&] { server.poll(); }));
  // The frames of one message: libzmq counts it when its last frame has arrived. The client's frames are no copies.
  for (int i = 0; i < 600; ++i) {
    zmq::message_t frame(const_cast<char*>(megabyte.data()), megabyte.size(), [](void*, void*) {});
    swarm.back().send(frame, i < 599 ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  std::uint64_t most = before;
  ASSERT_TRUE(until([&] { return refused(server, "of unfinished messages"); },
                    [&] {
                      server.poll();
                      most = std::max(most, resident_bytes());
                    }));
  EXPECT_TRUE(until([&] { return server.channel->connections() == 0; }, [&] { server.poll(); }));
  EXPECT_FALSE(refused(server, "600 frames"));
  RecordProperty("grown_mib", static_cast<int>((most - before) >> 20));
  EXPECT_LT((most - before) >> 20, 300U);
  EXPECT_TRUE(is_served(server));
}

// libzmq's random.cpp: a number of 32 bits from two draws.
std::vector<std::uint32_t> first_numbers_of_an_unseeded_process(std::size_t count) {
  std::srand(1);  // what rand() begins with
  std::vector<std::uint32_t> draws(count + 1);
  for (auto& draw : draws) draw = static_cast<std::uint32_t>(std::rand());
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(draws[i] | draws[i + 1] << 31);
  std::srand(1);
  return out;
}

// A ROUTER names its peers by a count. If a peer has chosen a name that comes later, libzmq ends the process.
TEST_F(AdversaryTransport, APeerThatChoosesTheNameOfALaterOneDoesNotEndTheAggregator) {
  // Which of the first draws becomes the ROUTER's first name depends on the sockets that are made before it.
  const auto numbers = first_numbers_of_an_unseeded_process(12);
  Server server(roster);
  std::list<RawClient> claims;
  for (const std::uint32_t number : numbers) {
    std::string name(1, '\0');
    for (const int shift : {24, 16, 8, 0}) name.push_back(static_cast<char>(number >> shift));
    const SecretKey key = testing::new_key();
    roster.admit_as(key, fmt::format("claim-{}", claims.size()));
    claims.emplace_back(server.channel->endpoint(), server.key.public_key().value(), key,
                        RawClient::Cipher::curve, name);
    claims.back().send({"hello"});
  }
  ASSERT_TRUE(until([&] { return server.received.size() == numbers.size(); }, [&] { server.poll(); }));
  EXPECT_TRUE(is_served(server));
  EXPECT_TRUE(is_served(server));
}

TEST_F(AdversaryTransport, ManyConnectionsOfOneKeyAreClosedAndOthersAreServed) {
  Server server(roster, with({.handshakes_per_minute = 1'000}));
  Swarm swarm(server, mallory);
  for (int i = 0; i < 200; ++i) swarm.add();
  ASSERT_TRUE(until([&] { return server.received.size() >= 100; }, [&] { server.poll(); }));
  EXPECT_TRUE(is_served(server));
  EXPECT_TRUE(until([&] { return server.channel->connections() <= 5; }, [&] { server.poll(); }));
}

TEST_F(AdversaryTransport, HandshakesOfOneKeyAreLimitedAndTheClientIsToldWhy) {
  Server server(roster, with({.handshakes_per_minute = 3}));
  Swarm swarm(server, mallory);
  for (int i = 0; i < 10; ++i) swarm.add();
  ASSERT_TRUE(until([&] { return refused(server, "more than 3 times a minute"); }, [&] { server.poll(); }));
  Client client(server, mallory);
  ASSERT_TRUE(until([&] { return client.last_event() != nullptr; }, [&] { client.poll(), server.poll(); }));
  EXPECT_EQ(client.last_event()->kind, LinkEvent::Kind::unreachable);
  EXPECT_TRUE(is_served(server));
}

TEST_F(AdversaryTransport, ConnectionsOfAnOutsiderDoNotFillTheTable) {
  Server server(roster, with({.connections_max = 64, .handshakes_max = 32}));
  std::vector<Descriptor> outsiders;
  for (int i = 0; i < 500; ++i) outsiders.push_back(connect_tcp(port_of(server)));
  EXPECT_TRUE(is_served(server));
  EXPECT_LE(server.channel->connections(), 64U);
}

TEST_F(AdversaryTransport, AConnectionThatSendsNoMessageIsClosed) {
  Server server(roster, with({.first_message_max = std::chrono::milliseconds(200)}));
  Client client(server, mallory);
  ASSERT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(), server.poll(); }));
  EXPECT_TRUE(until([&] { return !client.connected(); }, [&] { client.poll(), server.poll(); }));
  EXPECT_TRUE(refused(server, "sent no message"));
}

TEST_F(AdversaryTransport, AConnectionThatIsResetWhileItsMessagesWaitIsSurvived) {
  ServerChannelConfig config = with({});
  config.heartbeat = std::chrono::milliseconds(100);
  Server server(roster, config);
  {
    Client client(server, mallory);
    ASSERT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(), server.poll(); }));
    for (int i = 0; i < 1000; ++i) (void)client.channel->send(bytes(std::string(10'000, 'x')), {});
    // The aggregator reads nothing, so that libzmq stops to read from the connection.
    const Instant end = steady_now() + std::chrono::milliseconds(300);
    (void)until([&] { return steady_now() >= end; }, [&] { client.poll(), server.poll(0); });
  }
  // libzmq's heartbeat on the server's socket aborted the process now.
  const Instant end = steady_now() + std::chrono::seconds(1);
  (void)until([&] { return steady_now() >= end; }, [&] { server.poll(0); });
  EXPECT_TRUE(is_served(server));
}

TEST_F(AdversaryTransport, AChannelIsClosedWhileConnectionsComeAndGo) {
  for (int turn = 0; turn < 3; ++turn) {
    auto server = std::make_unique<Server>(roster);
    const std::uint16_t port = port_of(*server);
    std::atomic<bool> stop{false};
    std::atomic<int> made{0};
    std::vector<std::thread> outsiders;
    for (int i = 0; i < 2; ++i)
      outsiders.emplace_back([&] {
        while (!stop) {
          const Descriptor connection = connect_tcp(port);
          ++made;
        }
      });
    // The owner takes no events: more than libzmq's queue for them holds.
    while (made < 5'000) std::this_thread::yield();
    server.reset();
    stop = true;
    for (std::thread& outsider : outsiders) outsider.join();
  }
}

TEST_F(AdversaryTransport, APeerThatSendsAMalformedMessageIsDisconnected) {
  Server server(roster);
  RawClient frames(server.channel->endpoint(), server.key.public_key().value(), mallory,
                   RawClient::Cipher::curve);
  frames.send({"a", "b", "c"});
  EXPECT_TRUE(until([&] { return refused(server, "3 frames"); }, [&] { server.poll(); }));
  RawClient routed(server.channel->endpoint(), server.key.public_key().value(), mallory,
                   RawClient::Cipher::curve, "mine");
  routed.send({"a"});
  EXPECT_TRUE(until([&] { return refused(server, "routing id"); }, [&] { server.poll(); }));
  EXPECT_TRUE(server.received.empty());
}

TEST_F(AdversaryTransport, ARemovedClientsConnectionsEnd) {
  Server server(roster);
  Client client(server, mallory);
  ASSERT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(), server.poll(); }));
  ASSERT_TRUE(client.channel->send(bytes("hello"), {}));
  ASSERT_TRUE(until([&] { return !server.received.empty(); }, [&] { server.poll(); }));
  server.channel->disconnect_client("mallory");
  EXPECT_TRUE(until([&] { return !client.connected(); }, [&] { client.poll(), server.poll(); }));
  EXPECT_EQ(server.channel->connections(), 0U);
}

}  // namespace
}  // namespace hansa::transport
