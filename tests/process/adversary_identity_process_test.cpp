// A device's folder is copied to a second device, and both run: the real programs.
#include <gtest/gtest.h>

#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;

class AdversaryIdentity : public RowsFederation {};

TEST_F(AdversaryIdentity, ACopiedIdentityIsRefusedAndNamedWhileTheFirstDeviceTrains) {
  create();
  auto aggregator = start_aggregator("aggregator");
  auto one = start_client(1);
  auto two = start_client(2);
  auto three = start_client(3);
  ASSERT_TRUE(aggregator.wait_for_output("round   1 of", seconds(100))) << aggregator.output();
  fs::create_directory(temporary / "copy");
  for (const char* file : {"client.toml", "client.key"})
    fs::copy_file(site(1) / file, temporary / "copy" / file);
  ChildProcess copy("hansa-client", {(temporary / "copy" / "client.toml").string()}, log("copy"));
  // The second device's owner and the operator both read it.
  EXPECT_TRUE(copy.wait_for_output("another live client presents the key of \"client-01\"", seconds(60)))
      << copy.output();
  EXPECT_TRUE(
      aggregator.wait_for_output("another live client presents the key of \"client-01\"", seconds(60)))
      << aggregator.output();
  // The first one continues as if nothing had happened.
  EXPECT_EQ(aggregator.output().find("client-01 is gone"), std::string::npos) << aggregator.output();
  EXPECT_EQ(one.output().find("another live client"), std::string::npos) << one.output();
  EXPECT_FALSE(one.wait(seconds(0)).has_value()) << one.output();
}

}  // namespace
}  // namespace hansa::testing
