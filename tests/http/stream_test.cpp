#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/http/test_server.h"

namespace hansa::http {
namespace {

using testing::HasSubstr;

const std::string open_stream = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";

RawClient stream_of(TestServer& server, int receive_buffer = 0) {
  RawClient out = server.connect(receive_buffer);
  out.send(open_stream);
  EXPECT_THAT(out.read_until("\r\n\r\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
  return out;
}

void wait_for_streams(TestServer& server, std::uint32_t streams) {
  while (server->counts().streams != streams) std::this_thread::yield();
}

TEST(EventStream, EventsArriveInOrder) {
  TestServer server;
  RawClient client = stream_of(server);
  server->publish("round", R"({"round":1})");
  server->publish("log", "two\nlines");
  EXPECT_EQ(client.read_until("\n\n"), "id: 1\nevent: round\ndata: {\"round\":1}\n\n");
  EXPECT_EQ(client.read_until("\n\n"), "id: 2\nevent: log\ndata: two lines\n\n");
}

TEST(EventStream, TheNewestStateComesFirst) {
  TestServer server;
  server->publish("live", "1");
  server->publish("round", "2");
  server->publish("live", "3");
  // What is published is on its way when a later event has arrived.
  RawClient first = stream_of(server);
  server->publish("run", "4");
  (void)first.read_until("data: 4\n\n");
  RawClient second = stream_of(server);
  EXPECT_EQ(second.read_until("\n\n"), "id: 3\nevent: live\ndata: 3\n\n");
}

TEST(EventStream, ASilentStreamHasComments) {
  Limits limits;
  limits.comment_interval = std::chrono::milliseconds(10);
  TestServer server(limits);
  RawClient client = stream_of(server);
  EXPECT_EQ(client.read_until("\n\n"), ":\n\n");
}

TEST(EventStream, StreamsAreLimited) {
  Limits limits;
  limits.streams_max = 2;
  TestServer server(limits);
  RawClient first = stream_of(server);
  {
    RawClient second = stream_of(server);
    RawClient third = server.connect();
    third.send(open_stream);
    EXPECT_EQ(status_of(third.read_response().first), 503U);
  }
  // One that leaves makes room.
  wait_for_streams(server, 1);
  RawClient fourth = stream_of(server);
  EXPECT_EQ(server->counts().streams, 2U);
}

TEST(EventStream, TheStreamNeedsTheTokenWhereReadingDoes) {
  TestServer server({}, [](ServerConfig& config) { config.token_for_reading = true; });
  EXPECT_EQ(status_of(server.get("/api/v1/events")), 401U);
  RawClient client = server.connect();
  client.send("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + test_token +
              "\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("200 OK"));
}

// A reader that does not read loses events, is told how many, and delays nobody.
TEST(EventStream, ASlowReaderLosesEventsAndOthersDoNot) {
  TestServer server;
  RawClient slow = stream_of(server, 4'096), quick = stream_of(server);
  const std::string text(32 << 10, 'x');
  // The quick one reads each before the next is published, until the slow one's buffers are full.
  int published = 0;
  while (server->counts().events_lost < 10) {
    server->publish("round", std::to_string(++published) + text);
    EXPECT_THAT(quick.read_until("\n\n"), HasSubstr("data: " + std::to_string(published) + "x"));
  }
  std::string seen;
  int received = 0;
  while ((seen = slow.read_until("\n\n")).starts_with("id: ")) ++received;
  ASSERT_THAT(seen, HasSubstr("event: log\ndata: {\"lost\":"));
  const int lost = std::stoi(seen.substr(seen.find("lost\":") + 6));
  EXPECT_EQ(received + lost, published);
  server->publish("round", "after");
  EXPECT_THAT(slow.read_until("\n\n"), HasSubstr("data: after"));
}

TEST(EventStream, AReaderThatTakesNothingIsClosed) {
  Limits limits;
  limits.write_time_max = std::chrono::milliseconds(300);
  TestServer server(limits);
  RawClient slow = stream_of(server, 4'096);
  const std::string text(64 << 10, 'x');
  while (server->counts().streams > 0) {
    server->publish("round", text);
    std::this_thread::yield();
  }
  SUCCEED();
}

TEST(EventStream, AReaderThatSendsMuchIsClosed) {
  TestServer server;
  RawClient client = stream_of(server);
  (void)client.send(std::string(100'000, 'x'));
  wait_for_streams(server, 0);
  SUCCEED();
}

TEST(EventStream, TwoHundredStreamsGetEveryEvent) {
  TestServer server;
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(stream_of(server));
  EXPECT_EQ(server->counts().streams, 200U);
  for (int round = 1; round <= 20; ++round) server->publish("round", std::to_string(round));
  for (RawClient& client : clients)
    for (int round = 1; round <= 20; ++round)
      ASSERT_THAT(client.read_until("\n\n"), HasSubstr("data: " + std::to_string(round) + "\n"));
  EXPECT_EQ(server->counts().events_lost, 0U);
}

TEST(EventStream, PublishingFromManyThreadsLosesNoLine) {
  TestServer server;
  RawClient client = stream_of(server);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) server->publish("log", "line");
    });
  for (std::thread& thread : threads) thread.join();
  for (int i = 1; i <= 100; ++i)
    ASSERT_EQ(client.read_until("\n\n"), "id: " + std::to_string(i) + "\nevent: log\ndata: line\n\n");
}

}  // namespace
}  // namespace hansa::http
