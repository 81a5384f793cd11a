#include "server/http/internal/request_reader.h"

#include <gtest/gtest.h>

namespace hansa::http::internal {
namespace {

using NeedMore = RequestReader::NeedMore;

std::variant<NeedMore, RawRequest, Refusal> read(const std::string& bytes, const Limits& limits = {}) {
  RequestReader reader(limits);
  reader.feed(bytes);
  return reader.next();
}

unsigned status_of(const std::string& bytes, const Limits& limits = {}) {
  const auto out = read(bytes, limits);
  const auto* refusal = std::get_if<Refusal>(&out);
  return refusal == nullptr ? 0 : refusal->status;
}

TEST(RequestReader, ARequestIsReadByteByByte) {
  const std::string bytes =
      "POST /actions/stop HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Authorization: Bearer x\r\nOrigin: http://localhost\r\nContent-Length: 4\r\n\r\n{\"\"}";
  const Limits limits;
  RequestReader reader(limits);
  for (const char c : bytes.substr(0, bytes.size() - 1)) {
    reader.feed({&c, 1});
    ASSERT_TRUE(std::holds_alternative<NeedMore>(reader.next()));
  }
  reader.feed(bytes.substr(bytes.size() - 1));
  const auto next = reader.next();
  const auto* request = std::get_if<RawRequest>(&next);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->target, "/actions/stop");
  EXPECT_EQ(request->host, "localhost");
  EXPECT_EQ(request->origin, "http://localhost");
  EXPECT_EQ(request->authorization, "Bearer x");
  EXPECT_EQ(request->body, "{\"\"}");
  EXPECT_TRUE(request->keep_alive);
  EXPECT_FALSE(reader.has_begun());
}

TEST(RequestReader, RequestsFollowEachOther) {
  const Limits limits;
  RequestReader reader(limits);
  reader.feed("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto first = reader.next(), second = reader.next();
  EXPECT_EQ(std::get<RawRequest>(first).target, "/a");
  EXPECT_EQ(std::get<RawRequest>(second).target, "/b");
  EXPECT_FALSE(std::get<RawRequest>(second).keep_alive);
  EXPECT_TRUE(std::holds_alternative<NeedMore>(reader.next()));
}

TEST(RequestReader, Http10EndsTheConnection) {
  const auto out = read("GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(std::get<RawRequest>(out).keep_alive);
}

TEST(RequestReader, WhatCanBeSmuggledIsRefused) {
  const auto with = [](const std::string& lines) {
    return status_of("POST / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n");
  };
  EXPECT_EQ(with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400U);
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), 400U);
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n"), 501U);
  EXPECT_EQ(with("Transfer-Encoding: xchunked\r\n"), 501U);
  EXPECT_EQ(with("Content-Length: 4\r\nContent-Length: 5\r\n"), 400U);
  EXPECT_EQ(with("Content-Length: 4\r\nContent-Length: 4\r\n"), 400U);
  EXPECT_EQ(with("Content-Length: 4, 4\r\n"), 400U);
  EXPECT_EQ(with("Content-Length: +4\r\n"), 400U);
  EXPECT_EQ(with("Content-Length: -1\r\n"), 400U);
  EXPECT_EQ(with("Content-Length: 0x4\r\n"), 400U);
  EXPECT_EQ(with("Content-Length : 4\r\n"), 400U);
  EXPECT_EQ(with("X: a\r\n b: c\r\n"), 400U);
  EXPECT_EQ(with("X: a\r\n\tb\r\n"), 400U);
  EXPECT_EQ(with(" X: a\r\n"), 400U);
  EXPECT_EQ(with("X: a\rb\r\n"), 400U);
  EXPECT_EQ(with("X: a\nY: b\r\n"), 400U);
  EXPECT_EQ(with(std::string("X: a\0b\r\n", 8)), 400U);
  EXPECT_EQ(with("Host: y\r\n"), 400U);
  EXPECT_EQ(with("Origin: a\r\nOrigin: b\r\n"), 400U);
  EXPECT_EQ(with("Authorization: a\r\nAuthorization: b\r\n"), 400U);
  EXPECT_EQ(with("Expect: 100-continue\r\n"), 417U);
  EXPECT_EQ(with("no colon\r\n"), 400U);
  EXPECT_EQ(with(": no name\r\n"), 400U);
}

TEST(RequestReader, OtherLinesThanHttp11AreRefused) {
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505U);
  EXPECT_EQ(status_of("GET /\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("\x16\x03\x01\x02\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("GET / HTTP/1.1 x\r\nHost: x\r\n\r\n"), 505U);
}

TEST(RequestReader, SizesAreLimited) {
  Limits limits;
  limits.header_bytes_max = 512;
  limits.target_bytes_max = 64;
  limits.body_bytes_max = 16;
  const std::string rest = " HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(status_of("GET /" + std::string(63, 'a') + rest + "\r\n", limits), 0U);
  EXPECT_EQ(status_of("GET /" + std::string(64, 'a') + rest + "\r\n", limits), 414U);
  EXPECT_EQ(status_of("GET /" + rest + "X: " + std::string(600, 'a') + "\r\n\r\n", limits), 431U);
  // Also if its end never comes.
  EXPECT_EQ(status_of("GET /" + rest + "X: " + std::string(600, 'a'), limits), 431U);
  EXPECT_EQ(status_of(std::string(512, 'a'), limits), 431U);
  EXPECT_EQ(status_of("POST /" + rest + "Content-Length: 17\r\n\r\n", limits), 413U);
  EXPECT_EQ(status_of("POST /" + rest + "Content-Length: 999999999999999999999\r\n\r\n", limits), 400U);
  EXPECT_TRUE(std::holds_alternative<NeedMore>(read("POST /" + rest + "Content-Length: 16\r\n\r\n", limits)));
}

}  // namespace
}  // namespace hansa::http::internal
