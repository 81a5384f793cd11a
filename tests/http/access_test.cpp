#include "server/http/internal/access.h"

#include <gtest/gtest.h>

namespace hansa::http::internal {
namespace {

const std::string token(64, 'a');

ServerConfig config() {
  ServerConfig out;
  out.token = token;
  out.names = {"Hansa.example"};
  return out;
}

RawRequest get(const std::string& target) {
  RawRequest out;
  out.method = "GET";
  out.target = target;
  out.host = "127.0.0.1:7471";
  return out;
}

RawRequest post(const std::string& target) {
  RawRequest out = get(target);
  out.method = "POST";
  out.content_type = "application/json";
  out.body = "{}";
  return out;
}

RawRequest with_token(RawRequest request, const std::string& given = token) {
  request.authorization = "Bearer " + given;
  return request;
}

struct Checked {
  unsigned status = 200;
  Request request;
};

struct Fixture {
  ServerConfig settings = config();
  Access access{settings};
  Instant now{std::chrono::hours(1)};

  Checked check(RawRequest request, std::string_view peer = "127.0.0.1") {
    auto out = access.check(std::move(request), peer, now);
    if (const auto* refusal = std::get_if<Refusal>(&out)) return {refusal->status, {}};
    return {200, std::get<Access::Granted>(out).request};
  }
};

TEST(Access, HostMustBeAnAddressOrAKnownName) {
  const std::vector<std::string> names{"hansa.example"};
  for (const char* host : {"127.0.0.1", "127.0.0.1:7471", "localhost", "LocalHost:80", "[::1]", "[::1]:7471",
                           "10.0.0.1", "hansa.example", "Hansa.Example:443"})
    EXPECT_TRUE(is_own_host(host, names)) << host;
  for (const char* host : {"", "evil.example", "hansa.example.evil", "localhost.evil", "127.0.0.1.evil",
                           "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:7471:1", "[::1", "[::1]x", "[127.0.0.1]",
                           "::1", "localhost:999999", "user@localhost", "localhost "})
    EXPECT_FALSE(is_own_host(host, names)) << host;
}

TEST(Access, ANameThatPointsHereIsRefused) {
  Fixture f;
  RawRequest request = get("/api/v1/runs");
  request.host = "attacker.example:7471";
  EXPECT_EQ(f.check(request).status, 421U);
}

TEST(Access, OnlyPagesOfThisServerMayAsk) {
  Fixture f;
  const auto from = [&](const char* origin) {
    RawRequest request = get("/api/v1/runs");
    request.origin = origin;
    return f.check(request).status;
  };
  EXPECT_EQ(from("http://127.0.0.1:7471"), 200U);
  for (const char* origin : {"http://127.0.0.1", "http://127.0.0.1:7472", "https://127.0.0.1:7471", "null",
                             "", "http://evil.example", "http://127.0.0.1:7471.evil.example"})
    EXPECT_EQ(from(origin), 403U) << origin;
  RawRequest other = get("/api/v1/runs");
  other.fetch_site = "cross-site";
  EXPECT_EQ(f.check(other).status, 403U);
  other.fetch_site = "same-origin";
  EXPECT_EQ(f.check(other).status, 200U);
}

TEST(Access, WithTlsThePageHasTheSchemeHttps) {
  Fixture f;
  f.settings.tls = TlsFiles{};
  RawRequest request = get("/api/v1/runs");
  request.origin = "https://127.0.0.1:7471";
  EXPECT_EQ(f.check(request).status, 200U);
  request.origin = "http://127.0.0.1:7471";
  EXPECT_EQ(f.check(request).status, 403U);
}

TEST(Access, OnlyThreeMethodsAreKnown) {
  Fixture f;
  for (const char* method : {"PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "FOO"}) {
    RawRequest request = get("/");
    request.method = method;
    EXPECT_EQ(f.check(request).status, 405U) << method;
  }
  RawRequest with_body = get("/");
  with_body.body = "x";
  EXPECT_EQ(f.check(with_body).status, 400U);
  EXPECT_EQ(f.check(get("/../x")).status, 400U);
}

TEST(Access, PostNeedsTheTokenAndJson) {
  Fixture f;
  EXPECT_EQ(f.check(post("/api/v1/actions/stop")).status, 401U);
  const auto granted = f.check(with_token(post("/api/v1/actions/stop")));
  EXPECT_EQ(granted.status, 200U);
  EXPECT_TRUE(granted.request.is_authorised);
  EXPECT_EQ(granted.request.body, "{}");
  RawRequest form = with_token(post("/api/v1/actions/stop"));
  form.content_type = "application/x-www-form-urlencoded";
  EXPECT_EQ(f.check(form).status, 415U);
  form.content_type = "Application/JSON; charset=utf-8";
  EXPECT_EQ(f.check(form).status, 200U);
  form.content_type.reset();
  EXPECT_EQ(f.check(form).status, 415U);
}

TEST(Access, ReadingNeedsTheTokenWhereOthersReachTheServer) {
  Fixture f;
  EXPECT_FALSE(f.check(get("/api/v1/runs")).request.is_authorised);
  f.settings.token_for_reading = true;
  for (const char* path : {"/api", "/api/v1/runs", "/api/v1/events", "/metrics", "/metrics/"})
    EXPECT_EQ(f.check(get(path)).status, 401U) << path;
  // The page holds no data, and must be there to ask for the token.
  for (const char* path : {"/", "/src/main.js", "/healthz", "/readyz"})
    EXPECT_EQ(f.check(get(path)).status, 200U);
  EXPECT_TRUE(f.check(with_token(get("/metrics"))).request.is_authorised);
}

TEST(Access, OtherTokensAreWrong) {
  for (const std::string& given :
       {std::string(), std::string("x"), token + "a", token.substr(1), std::string(63, 'a') + 'b'}) {
    Fixture f;
    EXPECT_EQ(f.check(with_token(get("/"), given)).status, 401U) << given;
    EXPECT_EQ(f.access.wrong_tokens(), 1U);
  }
  Fixture f;
  RawRequest basic = get("/");
  basic.authorization = "Basic " + token;
  EXPECT_EQ(f.check(basic).status, 401U);
  f.settings.token.clear();
  EXPECT_EQ(f.check(with_token(get("/"), "")).status, 401U);
}

TEST(Access, GuessingIsSlowedDownByAddress) {
  Fixture f;
  for (std::uint32_t i = 0; i < f.settings.limits.wrong_tokens_per_address; ++i)
    EXPECT_EQ(f.check(with_token(get("/"), "wrong"), "10.0.0.1").status, 401U);
  EXPECT_EQ(f.check(with_token(get("/"), "wrong"), "10.0.0.1").status, 429U);
  // The right one would be found by continuing, so that it is not looked at either.
  EXPECT_EQ(f.check(with_token(get("/")), "10.0.0.1").status, 429U);
  EXPECT_EQ(f.check(with_token(get("/")), "10.0.0.2").status, 200U);
  EXPECT_EQ(f.check(get("/"), "10.0.0.1").status, 200U);
  f.now += f.settings.limits.token_interval;
  EXPECT_EQ(f.check(with_token(get("/")), "10.0.0.1").status, 200U);
}

TEST(Access, GuessingFromManyAddressesIsSlowedDownAndLocksNobodyOutWhoHadTheToken) {
  Fixture f;
  EXPECT_EQ(f.check(with_token(get("/")), "10.9.9.9").status, 200U);
  unsigned status = 0;
  for (std::uint32_t i = 0; i <= f.settings.limits.wrong_tokens; ++i)
    status = f.check(with_token(get("/"), "wrong"), "10.0.1." + std::to_string(i)).status;
  EXPECT_EQ(status, 401U);
  EXPECT_EQ(f.check(with_token(get("/"), "wrong"), "10.0.2.1").status, 429U);
  EXPECT_EQ(f.check(with_token(get("/")), "10.9.9.9").status, 200U);
}

TEST(Access, BehindAProxyTheReaderIsTheLastForwardedAddress) {
  EXPECT_EQ(forwarded_address("1.2.3.4, 10.0.0.7"), "10.0.0.7");
  EXPECT_EQ(forwarded_address("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(forwarded_address("1.2.3.4, unknown"), "");
  Fixture f;
  f.settings.behind_proxy = true;
  for (int i = 0; i < 20; ++i) {
    RawRequest guess = with_token(get("/"), "wrong");
    guess.forwarded_for = "10.0.0.7, 10.0.0.1";
    (void)f.check(guess);
  }
  RawRequest same = with_token(get("/"));
  same.forwarded_for = "10.0.0.1";
  EXPECT_EQ(f.check(same).status, 429U);
  same.forwarded_for = "10.0.0.7";
  EXPECT_EQ(f.check(same).status, 200U);
  // Whoever has an IPv6 address has its network.
  for (int i = 0; i < 20; ++i) {
    RawRequest guess = with_token(get("/"), "wrong");
    guess.forwarded_for = "2001:db8::" + std::to_string(i);
    (void)f.check(guess);
  }
  same.forwarded_for = "2001:db8::9999";
  EXPECT_EQ(f.check(same).status, 429U);
}

}  // namespace
}  // namespace hansa::http::internal
