#include <array>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "tests/transport/raw_client.h"
#include "tests/transport/support.h"

namespace hansa::transport {
namespace {

using ::testing::AnyOf;
using testing::bytes;
using testing::Client;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::Roster;
using testing::Server;
using testing::until;

struct Channel : ::testing::Test {
  Channel() { roster.admit_as(ada, "ada"), roster.admit_as(bob, "bob"); }
  [[nodiscard]] bool connect(Client& client) {
    return until([&] { return client.connected(); }, [&] { client.poll(), server.poll(); });
  }
  // Returns the peer of the client that sends this word.
  PeerId introduce(Client& client, const std::string& word) {
    EXPECT_TRUE(connect(client));
    EXPECT_TRUE(client.channel->send(bytes(word), {}));
    EXPECT_TRUE(until([&] { return !server.received.empty() && server.received.back().message == word; },
                      [&] { server.poll(); }));
    return server.received.empty() ? PeerId() : server.received.back().peer;
  }
  [[nodiscard]] bool server_refuses(const std::string& what) {
    return until(
        [&] {
          return !server.refused.empty() && server.refused.back().text().find(what) != std::string::npos;
        },
        [&] { server.poll(); });
  }

  SecretKey ada = testing::new_key();
  SecretKey bob = testing::new_key();
  Roster roster;
  Server server{roster};
};

TEST_F(Channel, MessagesWithAndWithoutBulkGoBothWays) {
  Client client(server, ada);
  const PeerId peer = introduce(client, "hello");
  EXPECT_EQ(server.received.back().bulk, "");
  const std::string large(300'000, 'x');
  const auto owner = std::make_shared<const std::vector<std::byte>>(bytes(large));
  ASSERT_TRUE(client.channel->send(bytes("chunk"), {owner, *owner}));
  ASSERT_TRUE(until([&] { return server.received.size() == 2; }, [&] { server.poll(); }));
  EXPECT_EQ(server.received.back().bulk, large);
  EXPECT_EQ(server.received.back().peer, peer);

  ASSERT_EQ(server.channel->send(peer, bytes("granted"), {}), Sent::queued);
  ASSERT_EQ(server.channel->send(peer, bytes("model"), {owner, *owner}), Sent::queued);
  ASSERT_TRUE(until([&] { return client.received.size() == 2; }, [&] { client.poll(); }));
  EXPECT_EQ(client.received[0].message, "granted");
  EXPECT_EQ(client.received[0].bulk, "");
  EXPECT_EQ(client.received[1].message, "model");
  EXPECT_EQ(client.received[1].bulk, large);
  EXPECT_EQ(server.channel->bytes_received(), 5 + 5 + large.size());
  EXPECT_EQ(server.channel->bytes_sent(), 7 + 5 + large.size());
}

TEST_F(Channel, TheSenderIsTheAdmittedNameAndNotTheNameInTheMessage) {
  Client first(server, ada);
  Client second(server, bob);
  const PeerId first_peer = introduce(first, "I am bob");
  EXPECT_EQ(server.received.back().client, "ada");
  const PeerId second_peer = introduce(second, "I am ada");
  EXPECT_EQ(server.received.back().client, "bob");
  EXPECT_NE(first_peer, second_peer);
}

TEST_F(Channel, BulkIsHeldUntilItIsSentAndThenReleased) {
  Client client(server, ada);
  const PeerId peer = introduce(client, "hello");
  const auto owner = std::make_shared<const std::vector<std::byte>>(200'000);
  ASSERT_EQ(server.channel->send(peer, bytes("model"), {owner, *owner}), Sent::queued);
  ASSERT_TRUE(client.channel->send(bytes("chunk"), {owner, *owner}));
  ASSERT_TRUE(until([&] { return client.received.size() == 1 && server.received.size() == 2; },
                    [&] { client.poll(), server.poll(); }));
  EXPECT_TRUE(until([&] { return owner.use_count() == 1; }, [&] { client.poll(); }));
}

TEST_F(Channel, BulkForADisconnectedPeerIsReleased) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(200'000);
  EXPECT_EQ(server.channel->send(PeerId(77), bytes("model"), {owner, *owner}), Sent::peer_gone);
  EXPECT_EQ(owner.use_count(), 1);
}

TEST_F(Channel, PeerIsGoneAfterItsClientCloses) {
  PeerId peer;
  {
    Client client(server, ada);
    peer = introduce(client, "hello");
  }
  EXPECT_TRUE(
      until([&] { return server.channel->send(peer, bytes("anybody there?"), {}) == Sent::peer_gone; },
            [&] { server.poll(); }));
}

TEST_F(Channel, MessagesSentJustBeforeAClientClosesArrive) {
  {
    Client client(server, ada);
    ASSERT_TRUE(connect(client));
    ASSERT_TRUE(client.channel->send(bytes("bye"), {}));
  }
  EXPECT_TRUE(until([&] { return !server.received.empty() && server.received.back().message == "bye"; },
                    [&] { server.poll(); }));
}

TEST_F(Channel, OneKeyConnectedTwiceIsTwoPeersOfOneClient) {
  Client first(server, ada);
  Client second(server, ada);
  const PeerId first_peer = introduce(first, "one");
  const PeerId second_peer = introduce(second, "two");
  EXPECT_NE(first_peer, second_peer);
  EXPECT_EQ(server.received.back().client, "ada");
  ASSERT_EQ(server.channel->send(first_peer, bytes("to the first"), {}), Sent::queued);
  ASSERT_EQ(server.channel->send(second_peer, bytes("to the second"), {}), Sent::queued);
  ASSERT_TRUE(until([&] { return !first.received.empty() && !second.received.empty(); },
                    [&] { first.poll(), second.poll(); }));
  EXPECT_EQ(first.received[0].message, "to the first");
  EXPECT_EQ(second.received[0].message, "to the second");
}

TEST_F(Channel, AChangeOfAdmissionAppliesToTheNextConnection) {
  const SecretKey eve = testing::new_key();
  {
    Client early(server, eve);
    ASSERT_TRUE(until([&] { return early.last_event() != nullptr; }, [&] { early.poll(), server.poll(); }));
    EXPECT_EQ(early.last_event()->kind, LinkEvent::Kind::refused);
  }
  roster.admit_as(eve, "eve");
  {
    Client admitted(server, eve);
    introduce(admitted, "hello");
    EXPECT_EQ(server.received.back().client, "eve");
  }
  roster.remove(eve);
  Client late(server, eve);
  ASSERT_TRUE(until([&] { return late.last_event() != nullptr; }, [&] { late.poll(), server.poll(); }));
  EXPECT_EQ(late.last_event()->kind, LinkEvent::Kind::refused);
}

TEST_F(Channel, AnOversizedFrameClosesItsConnectionAndTheServerContinues) {
  Client greedy(server, ada);
  introduce(greedy, "hello");
  const auto owner = std::make_shared<const std::vector<std::byte>>((2u << 20) + 100);
  ASSERT_TRUE(greedy.channel->send(bytes("too much"), {owner, *owner}));
  ASSERT_TRUE(until([&] { return !greedy.connected(); }, [&] { greedy.poll(), server.poll(); }));
  EXPECT_EQ(greedy.last_event()->kind, LinkEvent::Kind::disconnected);
  Client modest(server, bob);
  introduce(modest, "still there?");
  EXPECT_EQ(server.received.size(), 2u);
}

TEST_F(Channel, FrameOfTheAllowedSizePasses) {
  Client client(server, ada);
  introduce(client, "hello");
  const auto owner = std::make_shared<const std::vector<std::byte>>(2u << 20);
  ASSERT_TRUE(client.channel->send(bytes("just right"), {owner, *owner}));
  ASSERT_TRUE(until([&] { return server.received.size() == 2; }, [&] { server.poll(); }));
  EXPECT_EQ(server.received.back().bulk.size(), owner->size());
}

TEST_F(Channel, MessagesOfThreeFramesOrAnEmptyOneAreDroppedAndReportedWithTheClientsName) {
  RawClient raw(server.channel->endpoint(), server.key.public_key().value(), ada, RawClient::Cipher::curve);
  raw.send({"a", "b", "c"});
  EXPECT_TRUE(server_refuses("client ada: sent a message of 3 frames"));
  RawClient empty(server.channel->endpoint(), server.key.public_key().value(), ada, RawClient::Cipher::curve);
  empty.send({"", "bulk"});
  EXPECT_TRUE(server_refuses("client ada: sent an empty message"));
  RawClient fine(server.channel->endpoint(), server.key.public_key().value(), ada, RawClient::Cipher::curve);
  fine.send({"fine", "bulk"});
  ASSERT_TRUE(until([&] { return !server.received.empty(); }, [&] { server.poll(); }));
  EXPECT_EQ(server.received.size(), 1u);
  EXPECT_EQ(server.received[0].message, "fine");
}

TEST_F(Channel, APeerThatChoosesItsOwnRoutingIdIsNotServed) {
  RawClient raw(server.channel->endpoint(), server.key.public_key().value(), ada, RawClient::Cipher::curve,
                "bob's");
  raw.send({"mail for bob, please"});
  EXPECT_TRUE(server_refuses("client ada: set its own routing id"));
  EXPECT_TRUE(server.received.empty());
}

TEST_F(Channel, APeerWithoutCurveIsReportedAndItsMessagesAreDropped) {
  RawClient raw(server.channel->endpoint(), server.key.public_key().value(), ada, RawClient::Cipher::none);
  raw.send({"in the clear"});
  ASSERT_TRUE(until([&] { return !server.refused.empty(); }, [&] { server.poll(); }));
  // The end that first checks the other's greeting closes the connection.
  EXPECT_THAT(server.refused[0].what,
              AnyOf(HasSubstr("without CURVE"), HasSubstr("left during the handshake")));
  EXPECT_TRUE(server.received.empty());
  EXPECT_FALSE(raw.got_anything());
}

TEST_F(Channel, AKeyThatIsNotAdmittedIsReportedWithAHint) {
  const SecretKey eve = testing::new_key();
  for (int i = 0; i < 3; ++i) {
    Client client(server, eve);
    ASSERT_TRUE(until([&] { return client.last_event() != nullptr; }, [&] { client.poll(), server.poll(); }));
    EXPECT_EQ(client.last_event()->kind, LinkEvent::Kind::refused);
    EXPECT_THAT(client.last_event()->error.text(), HasSubstr(eve.public_key().value().text()));
  }
  ASSERT_TRUE(until([&] { return !server.refused.empty(); }, [&] { server.poll(); }));
  EXPECT_EQ(server.refused[0].code, ErrorCode::refused);
  EXPECT_EQ(server.refused[0].location, "127.0.0.1");
  EXPECT_THAT(server.refused[0].what, HasSubstr(eve.public_key().value().text()));
  EXPECT_THAT(server.refused[0].hint, HasSubstr("NAME.pub"));
  EXPECT_TRUE(server.received.empty());
}

TEST_F(Channel, APeerThatDoesNotReadIsCongestedUntilItReads) {
  Client client(server, ada);
  const PeerId peer = introduce(client, "hello");
  const auto owner = std::make_shared<const std::vector<std::byte>>(128u << 10);
  std::size_t queued = 0;
  Sent sent = Sent::queued;
  ASSERT_TRUE(until([&] { return sent == Sent::congested; },
                    [&] {
                      sent = server.channel->send(peer, bytes("chunk"), {owner, *owner});
                      if (sent == Sent::queued) ++queued;
                    }));
  ASSERT_TRUE(until([&] { return client.received.size() == queued; }, [&] { client.poll(); }));
  EXPECT_EQ(server.channel->send(peer, bytes("after"), {}), Sent::queued);
  EXPECT_TRUE(until([&] { return client.received.back().message == "after"; }, [&] { client.poll(); }));
}

TEST_F(Channel, PollReturnsAtMostTheRequestedMessages) {
  Client client(server, ada);
  ASSERT_TRUE(connect(client));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.channel->send(bytes("word"), {}));
  ASSERT_TRUE(until([&] { return !server.received.empty(); }, [&] { server.poll(2); }));
  EXPECT_LE(server.received.size(), 2u);
  EXPECT_TRUE(until([&] { return server.received.size() == 5; }, [&] { server.poll(2); }));
}

TEST_F(Channel, MessagesBeforeADisconnectionAreReportedBeforeIt) {
  std::optional<Server> second(std::in_place, roster);
  Client client(*second, ada);
  ASSERT_TRUE(until([&] { return client.connected(); }, [&] { client.poll(), second->poll(); }));
  ASSERT_TRUE(client.channel->send(bytes("hello"), {}));
  ASSERT_TRUE(until([&] { return !second->received.empty(); }, [&] { second->poll(); }));
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(second->channel->send(second->received[0].peer, bytes("last words"), {}), Sent::queued);
  second.reset();
  ASSERT_TRUE(until([&] { return client.received.size() == 3; }, [&] { client.poll(1); }))
      << client.received.size() << " came; " << (client.connected() ? "connected" : "ended");
  ASSERT_TRUE(until([&] { return !client.connected(); }, [&] { client.poll(1); }));
  EXPECT_EQ(client.last_event()->kind, LinkEvent::Kind::disconnected);
}

TEST_F(Channel, NothingIsSentBeforeTheConnectionIsEstablished) {
  Client client("tcp://127.0.0.1:1", server.key.public_key().value(), ada);
  EXPECT_FALSE(client.channel->send(bytes("too early"), {}));
}

TEST_F(Channel, WakeFromAnotherThreadEndsALongPollOfEitherEnd) {
  Client client(server, ada);
  ASSERT_TRUE(connect(client));
  std::thread waker([&] { server.channel->wake(), client.channel->wake(); });
  server.channel->poll(std::chrono::hours(1), {}, -1, 10);
  client.channel->poll(std::chrono::hours(1), {}, 10);
  waker.join();
}

TEST_F(Channel, ReadableExtraDescriptorEndsALongPoll) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::write(pipe[1], "x", 1), 1);
  server.channel->poll(std::chrono::hours(1), {}, pipe[0], 10);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST_F(Channel, APortInUseIsReportedWithAHint) {
  const auto second = ServerChannel::open({.bind = server.channel->endpoint()}, server.key, roster);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::network);
  EXPECT_EQ(second.error().location, server.channel->endpoint());
  EXPECT_THAT(second.error().text(), HasSubstr("choose another port"));
}

TEST_F(Channel, AddressesThatCannotBeListenedOnAreRefused) {
  for (const char* bind :
       {"", "127.0.0.1:0", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://192.0.2.7:0"}) {
    const auto channel = ServerChannel::open({.bind = bind}, server.key, roster);
    ASSERT_FALSE(channel) << bind;
    EXPECT_FALSE(channel.error().hint.empty()) << bind;
  }
}

// Names are not resolved. An interface of this machine, such as lo, is accepted.
TEST_F(Channel, ANameIsNoAddressToListenOn) {
  for (const char* bind : {"tcp://localhost:0", "tcp://aggregator.example:0"}) {
    const auto channel = ServerChannel::open({.bind = bind}, server.key, roster);
    ASSERT_FALSE(channel) << bind;
    EXPECT_THAT(channel.error().text(), HasSubstr("neither an IP address nor a network interface"));
  }
  const auto channel = ServerChannel::open({.bind = "tcp://lo:0"}, server.key, roster);
  EXPECT_TRUE(channel) << channel.error().text();
}

TEST_F(Channel, ManyClientsAtOnceEachGetTheirOwnAnswer) {
  constexpr int count = 20;
  std::vector<SecretKey> keys;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < count; ++i) {
    keys.push_back(testing::new_key());
    roster.admit_as(keys.back(), "device-" + std::to_string(i));
    clients.push_back(std::make_unique<Client>(server, keys.back()));
  }
  for (const auto& client : clients) ASSERT_TRUE(connect(*client));
  for (const auto& client : clients) ASSERT_TRUE(client->channel->send(bytes("who am I?"), {}));
  ASSERT_TRUE(until([&] { return server.received.size() == count; }, [&] { server.poll(); }));
  for (const auto& in : server.received)
    ASSERT_EQ(server.channel->send(in.peer, bytes(in.client), {}), Sent::queued);
  for (int i = 0; i < count; ++i) {
    Client& client = *clients[static_cast<std::size_t>(i)];
    ASSERT_TRUE(until([&] { return !client.received.empty(); }, [&] { client.poll(); }));
    EXPECT_EQ(client.received[0].message, "device-" + std::to_string(i));
  }
}

}  // namespace
}  // namespace hansa::transport
