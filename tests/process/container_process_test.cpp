// A device as containers run it: hansa-client with environment variables, a volume for its state, and nothing else.
#include <csignal>
#include <fstream>
#include <map>

#include "tests/process/join_program.h"
#include "tests/process/network_pair.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;

class ContainerClient : public JoinProgram {
 protected:
  // The variables of a device with the rows of this test.
  [[nodiscard]] std::vector<std::string> variables(const std::string& token) const {
    return {"HANSA__JOIN__TOKEN=" + token, "HANSA__DATA__KIND=csv",
            "HANSA__DATA__FILE=" + (folder / "rows.csv").string(), "HANSA__DATA__LABEL=y"};
  }
  ChildProcess start(const std::string& name, const std::vector<std::string>& with, pid_t network = 0) {
    return ChildProcess("hansa-client", {(device(name) / "client.toml").string()},
                        log("container-" + name + std::to_string(++starts_)), network, with);
  }
  static void kill(ChildProcess& process) {
    process.signal(SIGKILL);
    EXPECT_EQ(process.wait(seconds(60)), -SIGKILL);
  }
  [[nodiscard]] std::string key_of(const std::string& name) const {
    const auto key = read_text_file(device(name) / "client.key", 1024);
    EXPECT_TRUE(key) << key.error().text();
    return key.value_or("");
  }

 private:
  int starts_ = 0;
};

TEST_F(ContainerClient, JoinsByItsEnvironmentAloneTrainsAndIsTheSameDeviceAfterAKill) {
  enable("root_key = \"keys/root.key\"\n");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  const std::string token = invite("LINE-7", port_of(aggregator));
  auto first = start("LINE-7", variables(token));
  ASSERT_TRUE(first.wait_for_output("connected to federation", seconds(60))) << first.output();
  EXPECT_NE(first.output().find("joined as LINE-7"), std::string::npos) << first.output();
  EXPECT_NE(first.output().find("settings from the environment: HANSA__DATA__FILE, "), std::string::npos)
      << first.output();
  EXPECT_EQ(first.output().find(token), std::string::npos) << first.output();
  const std::string key = key_of("LINE-7");
  kill(first);

  // The container is started again with the same environment, in which the token is used up.
  auto again = start("LINE-7", variables(token));
  ASSERT_TRUE(again.wait_for_output("connected to federation", seconds(60))) << again.output();
  EXPECT_NE(again.output().find("its token is not used"), std::string::npos) << again.output();
  auto other = start("LINE-8", variables(invite("LINE-8", port_of(aggregator))));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output() << again.output() << other.output();
  EXPECT_EQ(again.wait(seconds(60)), 0) << again.output();
  EXPECT_EQ(key_of("LINE-7"), key);
  const auto list = devices("devices");
  EXPECT_EQ(list.size(), 5U) << list;
  EXPECT_EQ(find(list, "LINE-7").at("rounds_counted"), 2) << list;
}

TEST_F(ContainerClient, AWrongVariableEndsItBeforeTheTokenIsUsed) {
  const std::string token = "HANSA1SOMETHINGSECRET";
  struct Case {
    std::vector<std::string> variables;
    const char* error;
  };
  const std::vector<Case> cases{
      {{"HANSA__DATA__FLIE=/data/rows.csv"},
       "HANSA__DATA__FLIE: is for no setting; did you mean HANSA__DATA__FILE?"},
      {{"HANSA__JOIN__TOKEN=" + token, "HANSA__RESOURCES__THREADS=two"},
       "HANSA__RESOURCES__THREADS: must be a whole number"},
      {{"HANSA__JOIN__TOKEN=" + token}, "HANSA__JOIN__TOKEN: "},
      {{"HANSA__JOIN__TOKEN=" + token, "HANSA__JOIN__TOKEN_FILE=token"},
       "HANSA__JOIN__TOKEN: is set together with join.token_file"},
      {{"HANSA__JOIN__TOKEN_FILE=/nonexistent/token"}, "HANSA__JOIN__TOKEN_FILE: "},
      {{"HANSA__DATA__KIND=csv"}, "client.toml: client.name: is missing; add "},
  };
  for (const Case& wrong : cases) {
    auto client = start("LINE-7", wrong.variables);
    EXPECT_EQ(client.wait(seconds(60)), exit_code(ErrorCode::usage)) << client.output();
    EXPECT_NE(client.output().find(wrong.error), std::string::npos) << client.output();
    EXPECT_EQ(client.output().find(token), std::string::npos) << client.output();
    EXPECT_FALSE(fs::exists(device("LINE-7"))) << "nothing is left behind";
  }
}

TEST_F(ContainerClient, AnAggregatorTakesValuesFromItsEnvironmentAndTheRunKeepsThem) {
  replace(client_file(1), "\\[data\\][^\\[]*", "[data]\n\n");
  // As with a secret that is mounted elsewhere.
  fs::rename(folder / "keys" / "aggregator.key", temporary / "mounted.key");
  const std::vector<std::string> with{"HANSA__AGGREGATOR__KEY=" + (temporary / "mounted.key").string(),
                                      "HANSA__FEDERATION__ROUNDS=1", "HANSA__COHORT__CLIENTS_MIN=1",
                                      "HANSA__COHORT__CLIENTS_EXPECTED=1"};
  ChildProcess aggregator("hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"},
                          log("aggregator"), 0, with);
  ASSERT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
  std::smatch match;
  const std::string output = aggregator.output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("at (tcp://127.0.0.1:[0-9]+)"))) << output;
  ChildProcess client("hansa-client", {client_file(1).string()}, log("client"), 0,
                      {"HANSA__AGGREGATOR__ADDRESS=" + match[1].str(), "HANSA__DATA__KIND=csv",
                       "HANSA__DATA__FILE=" + (folder / "rows.csv").string(), "HANSA__DATA__LABEL=y"});
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output() << client.output();
  EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
  std::string kept;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "runs"))
    if (entry.path().extension() == ".toml") kept += read_text_file(entry.path(), 1 << 20).value_or("");
  EXPECT_NE(kept.find("\n# HANSA__FEDERATION__ROUNDS=1\n"), std::string::npos) << kept;
}

// The variables of the client's module in a deployment manifest of Azure IoT Edge, which deploy/kubeedge has too
// (scripts/test-deploy compares them). Paths of the container become paths of this test.
std::vector<std::string> variables_of_manifest(const fs::path& client, const fs::path& data) {
  std::ifstream file(fs::path(HANSA_DEPLOY) / "azure-iot-edge" / "deployment.json");
  const auto manifest = nlohmann::json::parse(file);
  const auto& module = manifest.at("modulesContent")
                           .at("$edgeAgent")
                           .at("properties.desired")
                           .at("modules")
                           .at("hansa-client");
  std::vector<std::string> out;
  for (const auto& [name, entry] : module.at("env").items()) {
    std::string value = entry.at("value");
    if (value.starts_with("/client/")) value = client.string() + value.substr(7);
    if (value.starts_with("/data/")) value = data.string() + value.substr(5);
    out.push_back(name + "=" + value);
  }
  return out;
}

class EdgeDevice : public ContainerClient {
 protected:
  void SetUp() override {
    std::string why;
    wire_ = NetworkPair::create({10'000'000, 0}, why);
    if (!wire_) GTEST_SKIP() << why << "; an edge device was not tried (needs root, iproute2 and iptables)";
    ContainerClient::SetUp();
    const std::string host = std::string("tcp://") + NetworkPair::aggregator_address;
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"" + host + ":7470\"");
    auto text = read_text_file(folder / "federation.toml", 1 << 20);
    ASSERT_TRUE(text);
    ASSERT_TRUE(write_file_atomically(
        folder / "federation.toml",
        *text + "\n[enrolment]\nbind = \"" + host + ":7472\"\nroot_key = \"keys/root.key\"\n"));
    for (const char* name : {"LINE-7", "LINE-8"}) {
      fs::create_directory(device(name));
      ASSERT_TRUE(write_file_atomically(device(name) / "token", invite(name, host + ":7472") + "\n"));
    }
  }
  ChildProcess start_edge(const std::string& name) {
    return start(name, variables_of_manifest(device(name), folder), wire_->device());
  }
  ChildProcess start_aggregator_on_wire(const std::string& name) {
    return ChildProcess("hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"},
                        log(name), wire_->aggregator());
  }
  std::unique_ptr<NetworkPair> wire_;
};

// The device's network has no name service and no route but to the aggregator's address.
TEST_F(EdgeDevice, StartsWithoutTheAggregatorSurvivesRebootsAndTrains) {
  auto first = start_edge("LINE-7");
  ASSERT_TRUE(first.wait_for_output("waiting: ", seconds(60))) << first.output();
  kill(first);  // the device reboots before it has joined
  auto second = start_edge("LINE-7");
  ASSERT_TRUE(second.wait_for_output("waiting: ", seconds(60))) << second.output();

  auto aggregator = start_aggregator_on_wire("aggregator");
  ASSERT_TRUE(second.wait_for_output("connected to federation", seconds(100)))
      << second.output() << aggregator.output();
  const std::string key = key_of("LINE-7");
  kill(second);  // and after that

  // It starts while there is no link.
  wire_->unplug();
  auto third = start_edge("LINE-7");
  ASSERT_TRUE(third.wait_for_output("its token is not used", seconds(60))) << third.output();
  wire_->plug_in();
  auto other = start_edge("LINE-8");
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output() << third.output() << other.output();
  EXPECT_EQ(key_of("LINE-7"), key);
  EXPECT_EQ(find(devices("devices"), "LINE-7").at("rounds_counted"), 2);
  // after_federation is "stay".
  for (ChildProcess* device : {&third, &other}) {
    device->signal(SIGTERM);
    EXPECT_EQ(device->wait(seconds(60)), 0) << device->output();
  }
}

}  // namespace
}  // namespace hansa::testing
