// Devices join a running federation by tokens, train, and are revoked: the real programs.
#include <csignal>

#include "tests/process/join_program.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;

TEST_F(JoinProgram, ADeviceJoinsByTwoCommandsAndTrains) {
  enable("root_key = \"keys/root.key\"\n");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  EXPECT_TRUE(aggregator.wait_for_output("for trials only", seconds(60)));
  const std::string address = port_of(aggregator);
  for (const char* name : {"LINE-7", "LINE-8"}) {
    auto join = start_join(name, invite(name, address));
    ASSERT_EQ(join.wait(seconds(60)), 0) << join.output() << aggregator.output();
    EXPECT_NE(join.output().find(std::string("as \"") + name + "\""), std::string::npos) << join.output();
  }
  // The device's set-up is valid as it was written.
  const std::string checked =
      run("hansa-client", {"check", (device("LINE-7") / "client.toml").string()}, "check");
  EXPECT_EQ(checked.find("FAIL"), std::string::npos) << checked;
  EXPECT_NE(checked.find("ok   certificate"), std::string::npos) << checked;
  auto seven = start_device("LINE-7");
  auto eight = start_device("LINE-8");
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output() << seven.output();
  const auto list = devices("devices");
  EXPECT_EQ(list.size(), 5U) << list;
  const auto found = find(list, "LINE-7");
  EXPECT_EQ(found.at("state"), "admitted") << list;
  EXPECT_EQ(found.at("rounds_counted"), 2) << list;
  EXPECT_NE(found.at("software"), "") << list;
  EXPECT_TRUE(found.contains("last_seen")) << list;
  EXPECT_NE(hansa({"audit", "verify"}, "verify").find("each follows from the one before"), std::string::npos);
  const std::string audit = hansa({"audit"}, "audit");
  for (const char* act : {"token.made", "device.requested  LINE-7", "device.enrolled  LINE-8"})
    EXPECT_NE(audit.find(act), std::string::npos) << audit;
}

TEST_F(JoinProgram, ADeviceWaitsUntilTheOperatorApprovesIt) {
  enable();
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  auto join = start_join("LINE-7", invite("LINE-7", port_of(aggregator)));
  ASSERT_TRUE(join.wait_for_output("waits for the operator: hansa approve LINE-7", seconds(60)))
      << join.output();
  EXPECT_TRUE(aggregator.wait_for_output("device LINE-7 asks to join", seconds(60))) << aggregator.output();
  EXPECT_NE(hansa({"approve"}, "pending").find("LINE-7"), std::string::npos);
  // The operator reads the identity on the device, and the command certifies no other one.
  std::smatch match;
  const std::string output = join.output();
  ASSERT_TRUE(
      std::regex_search(output, match, std::regex("identity, for the operator to compare: ([0-9a-f]{64})")))
      << output;
  const std::string identity = match[1];
  std::string other = identity;
  other[0] = other[0] == '0' ? '1' : '0';
  ChildProcess refused("hansa", {"approve", "LINE-7", "--identity", other, "--folder", folder.string()},
                       log("refused"));
  EXPECT_EQ(refused.wait(seconds(60)), exit_code(ErrorCode::refused)) << refused.output();
  EXPECT_FALSE(fs::exists(folder / "admitted" / "LINE-7.pub"));
  const std::string approved = hansa({"approve", "LINE-7", "--identity", identity}, "approve");
  EXPECT_NE(approved.find("admitted, with the identity " + identity), std::string::npos) << approved;
  EXPECT_EQ(join.wait(seconds(60)), 0) << join.output();
  EXPECT_TRUE(fs::exists(folder / "admitted" / "LINE-7.pub"));
  auto device = start_device("LINE-7");
  EXPECT_TRUE(device.wait_for_output("connected to federation", seconds(60))) << device.output();
}

using AdversaryJoin = JoinProgram;
TEST_F(AdversaryJoin, ATokenThatWasUsedOrAlteredEnrolsNobody) {
  enable("root_key = \"keys/root.key\"\n");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  const std::string address = port_of(aggregator);
  const std::string token = invite("LINE-7", address);
  auto owner = start_join("owner", token);
  ASSERT_EQ(owner.wait(seconds(60)), 0) << owner.output();
  auto copy = start_join("copy", token);
  EXPECT_EQ(copy.wait(seconds(60)), exit_code(ErrorCode::refused)) << copy.output();
  EXPECT_NE(copy.output().find("used already"), std::string::npos) << copy.output();

  std::string altered = token;
  altered[30] = altered[30] == 'A' ? 'B' : 'A';
  auto typo = start_join("typo", altered);
  EXPECT_EQ(typo.wait(seconds(60)), exit_code(ErrorCode::usage)) << typo.output();
  EXPECT_EQ(devices("devices").size(), 4U);
}

using AdversaryRevocation = JoinProgram;
TEST_F(AdversaryRevocation, ARevokedDeviceIsOutWithinASecondAndStaysOutAfterARestart) {
  enable();
  auto aggregator = start_aggregator("aggregator");
  replace(client_file(1), "\\[data\\][^\\[]*",
          "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"y\"\n\n");
  auto client = start_client(1);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 connected", seconds(60))) << aggregator.output();
  fs::copy_file(folder / "admitted" / "client-01.pub", temporary / "client-01.pub");
  hansa({"devices", "revoke", "client-01", "--reason", "stolen"}, "revoke");
  EXPECT_TRUE(aggregator.wait_for_output("client-01 is gone: the operator removed its key", seconds(10)))
      << aggregator.output();
  EXPECT_TRUE(client.wait_for_output("does not admit", seconds(60))) << client.output();
  client.signal(SIGTERM);
  ASSERT_EQ(client.wait(seconds(60)), 0) << client.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  // Its file comes back from a copy: the key is refused all the same.
  fs::copy_file(temporary / "client-01.pub", folder / "admitted" / "client-01.pub");
  auto again = start_aggregator("again");
  ChildProcess second("hansa-client", {client_file(1).string()}, log("second"));
  EXPECT_TRUE(second.wait_for_output("does not admit", seconds(60))) << second.output();
  EXPECT_EQ(again.output().find("client-01 connected"), std::string::npos) << again.output();
  EXPECT_EQ(find(devices("devices"), "client-01").at("state"), "revoked");
}

TEST_F(AdversaryRevocation, WithoutAReadableListOfRevokedKeysTheAggregatorDoesNotStart) {
  // Nobody reads a folder as a file, not even root.
  fs::create_directory(folder / "admitted" / "revoked.keys");
  ChildProcess aggregator("hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"},
                          log("aggregator"));
  EXPECT_EQ(aggregator.wait(seconds(60)), exit_code(ErrorCode::storage)) << aggregator.output();
  EXPECT_NE(aggregator.output().find("revoked.keys: is not a file; let the aggregator's user read it"),
            std::string::npos)
      << aggregator.output();
}

TEST_F(AdversaryRevocation, AListOfRevokedKeysThatBecomesUnreadableIsAnErrorInTheLog) {
  auto aggregator = start_aggregator("aggregator");
  fs::create_directory(folder / "admitted" / "revoked.keys");
  EXPECT_TRUE(aggregator.wait_for_output("no new device is admitted, because the revoked keys", seconds(60)))
      << aggregator.output();
}

TEST_F(JoinProgram, AMissingRegisterIsAWarningWithoutEnrolmentToo) {
  fs::remove_all(folder / "devices.sqlite");
  fs::create_directory(folder / "devices.sqlite");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("there is no register of devices", seconds(60)))
      << aggregator.output();
  const std::string output = aggregator.output();
  EXPECT_TRUE(std::regex_search(output, std::regex("warning[^\n]*there is no register of devices")))
      << output;
}

TEST_F(JoinProgram, AQuarantinedDeviceComesBackWhenItIsReleased) {
  auto aggregator = start_aggregator("aggregator");
  replace(client_file(1), "\\[data\\][^\\[]*",
          "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"y\"\n\n");
  auto client = start_client(1);
  ASSERT_TRUE(aggregator.wait_for_output("client-01 connected", seconds(60))) << aggregator.output();
  hansa({"devices", "quarantine", "client-01"}, "quarantine");
  ASSERT_TRUE(client.wait_for_output("does not admit", seconds(60))) << client.output();
  hansa({"devices", "release", "client-01"}, "release");
  ChildProcess again("hansa-client", {"check", client_file(1).string(), "--json"}, log("check"));
  static_cast<void>(again.wait(seconds(60)));
  EXPECT_EQ(find(devices("devices"), "client-01").at("state"), "admitted");
  EXPECT_EQ(again.output().find("\"check\": \"admission\",\n      \"code\""), std::string::npos)
      << again.output();
}

}  // namespace
}  // namespace hansa::testing
