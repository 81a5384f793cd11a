// Name resolution and TCP, against real sockets on loopback.
#include "client/check/network_checks.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/stranger.h"

namespace hansa::client {
namespace {

using ::testing::HasSubstr;
using transport::testing::dead_address;
using transport::testing::Stranger;

Finding reach_address(const std::string& address) {
  const Endpoint endpoint = endpoint_of(address);
  return reach(Check::tcp, endpoint, resolve(endpoint).addresses, std::chrono::seconds(5));
}

TEST(NetworkCheck, AddressesAreSplit) {
  EXPECT_EQ(endpoint_of("tcp://aggregator.example:7470").host, "aggregator.example");
  EXPECT_EQ(endpoint_of("tcp://[2001:db8::1]:7470").host, "2001:db8::1");
  EXPECT_EQ(endpoint_of("socks5://proxy:1080").port, "1080");
}

TEST(NetworkCheck, NumericAddressesNeedNoNameServer) {
  EXPECT_EQ(resolve({"127.0.0.1", "7470"}).finding.text, "127.0.0.1 is an IP address");
  EXPECT_EQ(resolve({"::1", "7470"}).addresses.size(), 1U);
}

TEST(NetworkCheck, AnUnknownNameIsNamed) {
  const Resolved found = resolve({"no-such-host.invalid", "7470"});
  EXPECT_TRUE(found.addresses.empty());
  EXPECT_EQ(found.finding.check, Check::name);
  EXPECT_EQ(found.finding.outcome, Outcome::failed);
  EXPECT_THAT(found.finding.text, HasSubstr("no-such-host.invalid"));
}

TEST(NetworkCheck, AMissingNameServerAndAnUnknownNameAreDifferent) {
  EXPECT_THAT(name_finding({"a", "1"}, EAI_AGAIN).text, HasSubstr("no name server answers"));
  EXPECT_THAT(name_finding({"a", "1"}, EAI_NONAME).text, HasSubstr("has no address"));
}

TEST(NetworkCheck, APortThatListensPasses) {
  const Stranger stranger(Stranger::Habit::says_nothing);
  EXPECT_EQ(reach_address(stranger.address()).outcome, Outcome::passed);
}

TEST(NetworkCheck, APortWithoutAListenerIsNamed) {
  const Finding finding = reach_address(dead_address());
  EXPECT_EQ(finding.outcome, Outcome::failed);
  EXPECT_EQ(finding.code, ErrorCode::network);
  EXPECT_THAT(finding.text, HasSubstr("nothing listens on this port"));
}

TEST(NetworkCheck, EachCauseHasItsOwnSentence) {
  const auto text = [](int error) { return connect_finding(Check::tcp, "x", error).text; };
  EXPECT_THAT(text(ETIMEDOUT), HasSubstr("no answer"));
  EXPECT_THAT(text(ENETUNREACH), HasSubstr("has no network"));
  EXPECT_THAT(text(EHOSTUNREACH), HasSubstr("no route"));
  EXPECT_THAT(text(EPERM), HasSubstr("own firewall"));
  EXPECT_THAT(text(EMFILE), HasSubstr("Too many open files"));
  EXPECT_THAT(connect_finding(Check::proxy, "x", ECONNREFUSED).hint, HasSubstr("the proxy runs"));
}

}  // namespace
}  // namespace hansa::client
