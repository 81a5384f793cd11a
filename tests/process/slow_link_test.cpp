// A device on a slow link with lost packets and repeated interruptions: everything arrives, and nothing twice.
//
// HANSA_SLOW_LINK=10MB runs the tests at a realistic size, a model of 10 MB at 20 kB/s, in about half an hour.
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/network_pair.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

class SlowLink : public ProgramTest {
 protected:
  void SetUp() override {
    const char* size = std::getenv("HANSA_SLOW_LINK");
    const bool full = size != nullptr && std::string(size) == "10MB";
    values = full ? 2'500'002 : 100'002;  // a logistic regression on two features: 3 values for each class
    rate = full ? 20'000 : 50'000;
    std::string why;
    wire = NetworkPair::create({rate, 0.01}, why);
    if (!wire) GTEST_SKIP() << why << "; slow links were not tried (needs root, iproute2 and iptables)";

    run("hansa", {"new", folder.string(), "--clients", "1", "--rounds", "1", "--clients-min", "1"}, "new");
    const auto model = folder / "model.pt";
    std::filesystem::remove(model);
    run("hansa",
        {"model", "create", "logistic", model.string(), "--inputs", "2", "--classes",
         std::to_string(values / 3)},
        "model");
    run("hansa", {"model", "sign", model.string(), "--key", (folder / "keys" / "root.key").string()}, "sign");
    archive_bytes = std::filesystem::file_size(model);
    const auto federation = folder / "federation.toml";
    const std::string address = std::string("tcp://") + NetworkPair::aggregator_address + ":7000";
    replace(federation, "bind = \"[^\"]*\"", "bind = \"" + address + "\"");
    // Far too short for these transfers, but long enough for training.
    replace(federation, "deadline_s = 120", "deadline_s = 20");
    train_on_all_examples();
    auto text = read_text_file(federation, 1 << 20);
    ASSERT_TRUE(text);
    ASSERT_EQ(text->find("[compression]"), std::string::npos);
    ASSERT_TRUE(write_file_atomically(federation, *text + "\n[compression]\nuplink = \"f32\"\n"));
    replace(client_file(1), "address = \"[^\"]*\"", "address = \"" + address + "\"");
    ASSERT_TRUE(write_file_atomically(folder / "rows.csv", "x,y,z\n1,0,0\n2,1,0\n3,1,1\n"));
    replace(client_file(1), "\\[data\\][^\\[]*",
            "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"z\"\n\n");
  }

  // Waits until this many bytes have been transferred; false if the client ends before, or after a time limit.
  [[nodiscard]] bool wait_for_bytes(std::uint64_t (NetworkPair::*counter)() const, std::uint64_t bytes,
                                    ChildProcess& client) const {
    const auto until = std::chrono::steady_clock::now() + seconds(60 + 3 * bytes / rate);
    while ((wire.get()->*counter)() < bytes) {
      if (client.wait(seconds(0)) || std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  [[nodiscard]] static int count(const std::string& text, const std::string& what) {
    int found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  }
  // Waits until the client has connected this many times.
  [[nodiscard]] static bool wait_for_connections(ChildProcess& client, int connections) {
    const auto until = std::chrono::steady_clock::now() + seconds(120);
    while (count(client.output(), "connected to federation") < connections) {
      if (client.wait(seconds(0)) || std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  std::unique_ptr<NetworkPair> wire;
  std::uint64_t values = 0;
  std::uint64_t rate = 0;
  std::uint64_t archive_bytes = 0;
};

TEST_F(SlowLink, BytesThatArrivedBeforeThreeInterruptionsAreNotSentAgain) {
  const std::uint64_t model_bytes = values * sizeof(float);
  ChildProcess aggregator("hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"},
                          log("aggregator"), wire->aggregator());
  ASSERT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
  ChildProcess client("hansa-client", {client_file(1).string()}, log("client"), wire->device());
  const auto story = [&] { return aggregator.output() + client.output(); };

  // In the middle of the archive the cable is unplugged until both ends have noticed.
  ASSERT_TRUE(wait_for_bytes(&NetworkPair::bytes_to_device, archive_bytes / 2, client)) << story();
  wire->unplug();
  ASSERT_TRUE(client.wait_for_output("the connection ended", seconds(60))) << story();
  wire->plug_in();
  ASSERT_TRUE(wait_for_connections(client, 2)) << story();
  // In the middle of the model the connections are reset.
  ASSERT_TRUE(wait_for_bytes(&NetworkPair::bytes_to_device, archive_bytes + model_bytes / 2, client))
      << story();
  wire->refuse();
  ASSERT_TRUE(client.wait_for_output("cannot be reached", seconds(60))) << story();
  wire->admit();
  ASSERT_TRUE(wait_for_connections(client, 3)) << story();
  // In the middle of the update the device moves to another network.
  ASSERT_TRUE(client.wait_for_output("trained on", seconds(60 + 3 * (archive_bytes + model_bytes) / rate)))
      << story();
  const std::uint64_t before = wire->bytes_from_device();
  ASSERT_TRUE(wait_for_bytes(&NetworkPair::bytes_from_device, before + model_bytes / 2, client)) << story();
  wire->move_device();

  ASSERT_EQ(aggregator.wait(seconds(120 + 3 * model_bytes / rate)), 0) << story();
  EXPECT_EQ(client.wait(seconds(60)), 0) << story();
  EXPECT_EQ(count(client.output(), "connected to federation"), 4) << story();
  EXPECT_EQ(count(client.output(), "trained on"), 1) << story();
  EXPECT_EQ(count(aggregator.output(), "abandoned"), 0) << story();

  const std::string status =
      run("hansa", {"status", line(aggregator.output(), "run folder: ").substr(12), "--json"}, "status");
  const auto round = nlohmann::json::parse(status).at("rounds").at(0);
  // An interruption may cost the bytes in flight: some seconds of the link's rate that were not acknowledged.
  const std::uint64_t lost_at_a_cut = 3 * rate;
  const auto down = round.at("bytes_down").get<std::uint64_t>();
  const auto up = round.at("bytes_up").get<std::uint64_t>();
  // Headers, pulls and pings are less than a hundredth, because chunks take at least half a second.
  const std::uint64_t messages = 64 * 1024 + (archive_bytes + 2 * model_bytes) / 100;
  EXPECT_GE(down, archive_bytes + model_bytes) << status;
  EXPECT_LE(down, archive_bytes + model_bytes + 2 * lost_at_a_cut + messages) << status;
  EXPECT_GE(up, model_bytes) << status;
  EXPECT_LE(up, model_bytes + lost_at_a_cut + messages) << status;
}

}  // namespace
}  // namespace hansa::testing
