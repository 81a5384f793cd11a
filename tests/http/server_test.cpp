#include "server/http/server.h"

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/http/test_server.h"
#include "tests/temporary_folder.h"

namespace hansa::http {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string get_x = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(HttpServer, ARequestReachesTheHandlerAndTheConnectionStays) {
  TestServer server;
  RawClient client = server.connect();
  for (int i = 0; i < 3; ++i) {
    client.send(get_x);
    const auto [head, body] = client.read_response();
    EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(head, HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_EQ(body, "GET /x ");
  }
  client.send(
      "POST /y HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
      test_token + "\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  EXPECT_THAT(client.read_all(), HasSubstr("POST /y {}"));
}

TEST(HttpServer, RequestsThatComeTogetherAreAnsweredInOrder) {
  TestServer server;
  RawClient client = server.connect();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_response().second, "GET /1 ");
  EXPECT_EQ(client.read_response().second, "<!doctype html>");
  EXPECT_EQ(client.read_response().second, "GET /3 ");
}

TEST(HttpServer, EveryResponseHasTheSecurityHeaders) {
  TestServer server;
  for (const std::string& response :
       {server.get("/"), server.get("/x"), server.get("/../x"), server.ask("x\r\n\r\n")}) {
    EXPECT_THAT(response, HasSubstr("Content-Security-Policy: default-src 'self';"));
    EXPECT_THAT(response, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(response, Not(HasSubstr("unsafe-inline")));
    EXPECT_THAT(response, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(response, HasSubstr("Referrer-Policy: no-referrer\r\n"));
    EXPECT_THAT(response, HasSubstr("Cross-Origin-Opener-Policy: same-origin\r\n"));
    EXPECT_THAT(response, HasSubstr("Cross-Origin-Resource-Policy: same-origin\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Access-Control")));
  }
  EXPECT_THAT(server.get("/x"), HasSubstr("Cache-Control: no-store\r\n"));
}

TEST(HttpServer, RefusalsAreJsonAndEndWhatCannotBeUnderstood) {
  TestServer server;
  EXPECT_EQ(status_of(server.get("/%2e%2e/x")), 400U);
  EXPECT_EQ(status_of(server.ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")), 421U);
  const std::string post =
      server.ask("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(status_of(post), 401U);
  EXPECT_THAT(post, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(post, HasSubstr("{\"error\":{\"code\":\"token\",\"message\":"));
  const std::string method = server.ask("DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(method, HasSubstr("Allow: GET, HEAD, POST\r\n"));
  // The second request would be what a proxy did not see.
  const std::string smuggled = server.ask(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n" +
      get_x);
  EXPECT_EQ(status_of(smuggled), 400U);
  EXPECT_EQ(smuggled.find("HTTP/1.1 ", 1), std::string::npos);
}

TEST(HttpServer, ABodyThatIsTooLargeIsRefusedBeforeItIsRead) {
  TestServer server;
  RawClient client = server.connect();
  client.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
  (void)client.send(std::string(1'000'000, 'x'));
  EXPECT_EQ(status_of(client.read_all()), 413U);
}

TEST(HttpServer, AHeadRequestHasNoBody) {
  TestServer server;
  for (const char* target : {"/", "/main.js", "/x", "/api/v1/events"}) {
    const std::string response = server.ask("HEAD " + std::string(target) +
                                            " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(status_of(response), 200U);
    EXPECT_TRUE(response.ends_with("\r\n\r\n"));
  }
  EXPECT_EQ(server->counts().streams, 0U);
}

TEST(HttpServer, AssetsAreCompressedAndAskedForAgain) {
  TestServer server;
  const std::string plain = server.get("/main.js");
  EXPECT_THAT(plain, HasSubstr("Content-Length: 100000\r\n"));
  EXPECT_THAT(plain, HasSubstr("Cache-Control: no-cache\r\n"));
  EXPECT_THAT(plain, HasSubstr("ETag: \"2\"\r\n"));
  const std::string packed = server.get("/main.js", "Accept-Encoding: br, gzip\r\n");
  EXPECT_THAT(packed, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(packed.ends_with("\r\n\r\npacked"));
  const std::string same = server.get("/main.js", "If-None-Match: W/\"9\", \"2\"\r\n");
  EXPECT_EQ(status_of(same), 304U);
  EXPECT_TRUE(same.ends_with("\r\n\r\n"));
}

TEST(HttpServer, AFileIsSentInPiecesAndWhatItHoldsIsReleased) {
  const TemporaryFolder folder;
  std::string contents;
  for (int i = 0; i < 100'000; ++i) contents += std::to_string(i) + " ";
  std::ofstream(folder.path() / "file") << contents;
  std::weak_ptr<int> held;
  TestServer server;
  server.handler.answer = [&](const Request& request) {
    Response out;
    out.content_type = "application/octet-stream";
    out.file = folder.path() / request.path.substr(1);
    auto hold = std::make_shared<int>(1);
    held = hold;
    out.hold = hold;
    return out;
  };
  RawClient client = server.connect();
  client.send("GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_response().second, contents);
  client.send("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_response().first, HasSubstr("HTTP/1.1 404"));
  EXPECT_TRUE(held.expired());
  std::filesystem::create_symlink("file", folder.path() / "link");
  EXPECT_EQ(status_of(server.get("/link")), 404U);
}

TEST(HttpServer, AHandlerThatFailsIsAnInternalError) {
  TestServer server;
  server.handler.answer = [](const Request&) -> Response { throw std::runtime_error("secret"); };
  const std::string response = server.get("/x");
  EXPECT_EQ(status_of(response), 500U);
  EXPECT_THAT(response, Not(HasSubstr("secret")));
  server.handler.answer = [](const Request&) {
    Response out;
    out.headers.emplace_back("X-Name", "a\r\nSet-Cookie: b");
    return out;
  };
  const std::string split = server.get("/x");
  EXPECT_EQ(status_of(split), 500U);
  EXPECT_THAT(split, Not(HasSubstr("Set-Cookie")));
}

TEST(HttpServer, AFullQueueIsAnsweredAtOnce) {
  Limits limits;
  limits.queued_requests_max = 2;
  TestServer server(limits);
  std::promise<void> begun, go_on;
  std::atomic<int> calls = 0;
  server.handler.answer = [&, future = go_on.get_future().share()](const Request&) {
    if (calls++ == 0) {
      begun.set_value();
      future.wait();
    }
    return Response{};
  };
  std::vector<RawClient> clients;
  clients.push_back(server.connect());
  clients.back().send(get_x);
  begun.get_future().wait();  // the worker has it
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.connect());
    clients.back().send(get_x);
  }
  // Two of these wait, and the third is refused.
  while (server->counts().responses[503] == 0) std::this_thread::yield();
  // The page is there all the same.
  EXPECT_EQ(status_of(server.get("/")), 200U);
  go_on.set_value();
  std::string refused;
  unsigned answered = 0;
  for (RawClient& client : clients) {
    const std::string head = client.read_response().first;
    if (status_of(head) == 200) ++answered;
    else refused = head;
  }
  EXPECT_EQ(answered, 3U);
  EXPECT_THAT(refused, HasSubstr("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
}

TEST(HttpServer, ASlowRequestEnds) {
  Limits limits;
  limits.request_time_max = std::chrono::milliseconds(300);
  TestServer server(limits);
  RawClient client = server.connect();
  client.send("GET /x HTTP/1.1\r\nHost: ");
  // A byte now and then does not give it more time: the loop ends by the server's hand.
  while (client.send("a")) {
    pollfd none{-1, 0, 0};
    ::poll(&none, 1, 20);
  }
  EXPECT_EQ(server->counts().responses[200], 0U);
}

TEST(HttpServer, AConnectionWithoutARequestEnds) {
  Limits limits;
  limits.idle_time_max = std::chrono::milliseconds(100);
  TestServer server(limits);
  RawClient client = server.connect();
  EXPECT_EQ(client.read_all(), "");
  RawClient second = server.connect();
  second.send(get_x);
  EXPECT_EQ(second.read_response().second, "GET /x ");
  EXPECT_EQ(second.read_all(), "");
}

TEST(HttpServer, ASlowReaderOfAResponseEnds) {
  Limits limits;
  limits.write_time_max = std::chrono::milliseconds(200);
  limits.response_bytes_per_second_min = 1e9;
  TestServer server(limits);
  std::weak_ptr<int> held;
  server.handler.answer = [&](const Request&) {
    Response out;
    auto hold = std::make_shared<int>(1);
    held = hold;
    out.hold = hold;
    out.body.assign(4 << 20, 'x');
    return out;
  };
  RawClient client = server.connect(4'096);
  client.send(get_x);
  while (server->counts().connections == 0) std::this_thread::yield();
  // Nothing is read. When the server's patience ends, it gives back what the response holds.
  while (server->counts().connections > 0) std::this_thread::yield();
  while (!held.expired()) std::this_thread::yield();
  EXPECT_LT(client.read_all().size(), std::size_t{4} << 20);
}

TEST(HttpServer, ConnectionsAreLimitedAndTheLongestIdleOneMakesRoom) {
  Limits limits;
  limits.connections_max = 3;
  TestServer server(limits);
  std::vector<RawClient> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(server.connect());
    idle.back().send(get_x);
    EXPECT_EQ(idle.back().read_response().second, "GET /x ");
  }
  RawClient client = server.connect();
  client.send(get_x);
  EXPECT_EQ(client.read_response().second, "GET /x ");
  EXPECT_EQ(idle[0].read_all(), "");
  idle[1].send(get_x);
  EXPECT_EQ(idle[1].read_response().second, "GET /x ");
}

TEST(HttpServer, GuessesAreLoggedAndCountedWithoutTheirText) {
  TestServer server;
  for (int i = 0; i < 40; ++i)
    (void)server.get("/x", "Authorization: Bearer guess" + std::to_string(i) + "\r\n");
  const auto counts = server->counts();
  EXPECT_EQ(counts.responses[401], 10U);
  EXPECT_EQ(counts.responses[429], 30U);
  EXPECT_EQ(counts.wrong_tokens, 10U);
  const auto lines = server.lines();
  EXPECT_LE(lines.size(), 21U);
  ASSERT_FALSE(lines.empty());
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("guess")));
}

TEST(HttpServer, APortInUseIsAnErrorWithAHint) {
  TestServer server;
  TestHandler handler;
  ServerConfig config;
  config.listen = server->address();
  const auto second = Server::open(config, handler);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::network);
  EXPECT_THAT(second.error().text(), HasSubstr(server->address()));
  EXPECT_THAT(second.error().hint, HasSubstr("[dashboard] listen"));
}

TEST(HttpServer, EndsWithOpenConnectionsAndRequests) {
  std::vector<RawClient> clients;
  {
    TestServer server;
    for (int i = 0; i < 10; ++i) {
      clients.push_back(server.connect());
      clients.back().send(i % 2 == 0 ? get_x : "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    (void)clients[1].read_until("\r\n\r\n");
  }
  for (RawClient& client : clients) (void)client.read_all();
}

}  // namespace
}  // namespace hansa::http
