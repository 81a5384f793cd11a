// A device is revoked while it sends its update: the real programs.
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/rows_federation.h"
#include "tests/transport/relay.h"

namespace hansa::testing {
namespace {

using transport::testing::Relay;

class AdversaryUpload : public RowsFederation {};

TEST_F(AdversaryUpload, ADeviceThatIsRevokedInTheMiddleOfItsUploadIsNotInTheSum) {
  // Updates of 2.4 MB, so that the middle of one is easy to find.
  RowsPlan plan;
  plan.classes = 200'000;
  plan.rounds = 1;
  create(plan);
  auto text = read_text_file(folder / "federation.toml", 1 << 20);
  ASSERT_TRUE(text);
  ASSERT_TRUE(
      write_file_atomically(folder / "federation.toml", *text + "\n[compression]\nuplink = \"f32\"\n"));
  auto aggregator = start_aggregator("aggregator");
  const auto client_toml = read_text_file(client_file(1), 1 << 20).value();
  std::smatch match;
  ASSERT_TRUE(std::regex_search(client_toml, match, std::regex("address = \"([^\"]*)\"")));
  Relay relay({match[1], "127.0.0.1", 1'000'000});
  replace(client_file(1), "address = \"[^\"]*\"", "address = \"" + relay.address() + "\"");
  auto one = start_client(1);
  auto two = start_client(2);
  auto three = start_client(3);
  const auto until = std::chrono::steady_clock::now() + seconds(120);
  while (!relay.is_holding() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  ASSERT_TRUE(relay.is_holding()) << aggregator.output() << one.output();
  hansa({"devices", "revoke", "client-01", "--reason", "stolen"}, "revoke");
  EXPECT_TRUE(aggregator.wait_for_output("client-01 is gone: the operator removed its key", seconds(60)))
      << aggregator.output();
  ASSERT_EQ(aggregator.wait(seconds(120)), 0) << aggregator.output();
  relay.release();

  const std::string run_folder = line(aggregator.output(), "run folder: ").substr(12);
  const auto status = nlohmann::json::parse(run("hansa", {"status", run_folder, "--json"}, "status"));
  const auto device = nlohmann::json::parse(hansa({"devices", "show", "client-01", "--json"}, "show"));
  EXPECT_EQ(device.at("state"), "revoked") << device;
  EXPECT_EQ(device.at("rounds_counted"), 0) << device;
  EXPECT_EQ(device.at("rounds_lost"), 1) << device;
  EXPECT_EQ(
      nlohmann::json::parse(hansa({"devices", "show", "client-02", "--json"}, "show-2")).at("rounds_counted"),
      1)
      << status;
  run("hansa", {"verify", run_folder}, "verify");
}

}  // namespace
}  // namespace hansa::testing
