#include "server/config/dashboard_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "server/config/federation_config.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* minimal =
    "[federation]\nname = \"f\"\n[model]\narchive = \"m.pt\"\n[aggregator]\nkey = \"a.key\"\n"
    "admitted = \"admitted\"\nruns = \"state/runs\"\n";

class DashboardFile : public ::testing::Test {
 protected:
  Result<std::optional<DashboardConfig>> read(const std::string& table) {
    EXPECT_TRUE(write_file_atomically(folder_ / "federation.toml", minimal + table));
    return read_dashboard_config(folder_ / "federation.toml");
  }
  std::string refusal(const std::string& table) {
    const auto out = read(table);
    if (out) return "was read";
    EXPECT_EQ(out.error().code, ErrorCode::usage);
    // The aggregator's whole configuration is refused with it.
    EXPECT_FALSE(read_federation_config(folder_ / "federation.toml"));
    return out.error().text();
  }
  TemporaryFolder folder_;
};

TEST_F(DashboardFile, WithoutItsTableThereIsNone) {
  const auto out = read("");
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_FALSE(*out);
}

TEST_F(DashboardFile, ByDefaultItIsForThisMachineOnly) {
  const auto out = read("[dashboard]\n");
  ASSERT_TRUE(out && *out);
  const DashboardConfig& config = **out;
  EXPECT_EQ(config.listen, "127.0.0.1:7471");
  EXPECT_TRUE(config.is_loopback);
  EXPECT_FALSE(config.needs_token_for_reading());
  EXPECT_EQ(config.token_file, folder_.path() / "state/dashboard.token");
  EXPECT_EQ(config.streams_max, 256U);
}

TEST_F(DashboardFile, AnAddressThatOthersReachNeedsTlsOrAProxyAndTheToken) {
  const std::string open = "[dashboard]\nlisten = \"0.0.0.0:7480\"\n";
  EXPECT_THAT(refusal(open),
              HasSubstr("federation.toml:10: dashboard.listen: is \"0.0.0.0:7480\", which others can reach"));
  EXPECT_THAT(refusal(open), HasSubstr("tls_certificate"));
  EXPECT_THAT(refusal("[dashboard]\nlisten = \"[::]:7480\"\n"), HasSubstr("others can reach"));
  const auto tls = read(open + "tls_certificate = \"c.pem\"\ntls_key = \"k.pem\"\n");
  ASSERT_TRUE(tls && *tls);
  EXPECT_TRUE((*tls)->needs_token_for_reading());
  EXPECT_EQ((*tls)->tls_key, folder_.path() / "k.pem");
  const auto proxy = read(open + "behind_proxy = true\nnames = [\"a.example\", \"b.example\"]\n");
  ASSERT_TRUE(proxy && *proxy);
  EXPECT_TRUE((*proxy)->needs_token_for_reading());
  EXPECT_THAT((*proxy)->names, ElementsAre("a.example", "b.example"));
  // A proxy brings others also to a loopback address.
  EXPECT_TRUE((*read("[dashboard]\nbehind_proxy = true\n"))->needs_token_for_reading());
}

TEST_F(DashboardFile, WrongValuesAreRefused) {
  EXPECT_THAT(refusal("[dashboard]\nlisten = \"localhost:7471\"\n"),
              HasSubstr("for example \"127.0.0.1:7471\""));
  EXPECT_THAT(refusal("[dashboard]\nlisten = \"127.0.0.1:7470\"\n"),
              HasSubstr("has the port of aggregator.bind"));
  EXPECT_THAT(refusal("[secure_aggregation]\nroot = \"" + std::string(64, '0') +
                      "\"\n[enrolment]\nbind = \"tcp://0.0.0.0:7471\"\n[dashboard]\n"),
              HasSubstr("has the port of enrolment.bind"));
  EXPECT_THAT(refusal("[dashboard]\ntls_key = \"k.pem\"\n"), HasSubstr("tls_certificate is not"));
  EXPECT_THAT(refusal("[dashboard]\ntls_certificate = \"c.pem\"\n"), HasSubstr("tls_key is not"));
  EXPECT_THAT(refusal("[dashboard]\nnames = [\"https://a.example\"]\n"), HasSubstr("which is no host name"));
  EXPECT_THAT(refusal("[dashboard]\nstreams_max = 0\n"), HasSubstr("streams_max"));
}

}  // namespace
}  // namespace hansa::server
