// Keys are changed while a federation runs with secure aggregation: the real programs.
#include <csignal>
#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;

class RotationProgram : public ProgramTest {
 protected:
  static constexpr int clients = 3;
  // Three clients, all of which are needed for a round, and more rounds than a test waits for.
  void SetUp() override {
    run("hansa", {"new", folder.string(), "--clients", "3", "--rounds", "5000", "--clients-min", "3"}, "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    fs::remove(folder / "model.pt");
    run("hansa",
        {"model", "create", "logistic", (folder / "model.pt").string(), "--inputs", "2", "--classes", "2"},
        "model");
    run("hansa", {"model", "sign", (folder / "model.pt").string(), "--key", root_key().string()}, "sign");
    std::string rows = "a,b,y\n";
    for (int i = 0; i < 200; ++i)
      rows += std::to_string(i % 7) + "," + std::to_string(i % 3) + "," + std::to_string(i % 2) + "\n";
    ASSERT_TRUE(write_file_atomically(folder / "rows.csv", rows));
    for (int i = 1; i <= clients; ++i)
      replace(client_file(i), "\\[data\\][^\\[]*",
              "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"y\"\n\n");
  }
  [[nodiscard]] fs::path root_key() const { return folder / "keys" / "root.key"; }
  void enable_enrolment(const std::string& more) {
    const auto text = read_text_file(folder / "federation.toml", 1 << 20);
    ASSERT_TRUE(write_file_atomically(folder / "federation.toml",
                                      *text + "\n[enrolment]\nbind = \"tcp://127.0.0.1:0\"\n" + more));
  }
  static std::string join_port(const ChildProcess& aggregator) {
    std::smatch match;
    const std::string output = aggregator.output();
    EXPECT_TRUE(std::regex_search(output, match, std::regex("devices join at (tcp://127.0.0.1:[0-9]+)")))
        << output;
    return match[1];
  }
  void start_all(std::vector<ChildProcess>& members) {
    for (int i = 1; i <= clients; ++i) members.push_back(start_client(i));
  }
  // The number of the last committed round in the aggregator's output; 0: none.
  static int last_round(const ChildProcess& aggregator) {
    const std::string output = aggregator.output();
    const std::regex pattern("round +([0-9]+) of 5000");
    int out = 0;
    for (std::sregex_iterator at(output.begin(), output.end(), pattern), end; at != end; ++at)
      out = std::max(out, std::stoi((*at)[1].str()));
    return out;
  }
  // Waits until this many more rounds are committed.
  static void expect_rounds(ChildProcess& aggregator, int more) {
    const int wanted = last_round(aggregator) + more;
    EXPECT_TRUE(aggregator.wait_for_output(" " + std::to_string(wanted) + " of 5000", seconds(100)))
        << aggregator.output();
  }
  void stop(ChildProcess& process) {
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(seconds(60)), 0) << process.output();
  }
  // Every committed round is in order and has the updates of all clients.
  void expect_no_round_lost(const ChildProcess& aggregator) {
    const std::string run_folder = line(aggregator.output(), "run folder: ").substr(12);
    // With the root key on the aggregator's machine, a warning comes first.
    const std::string status = run("hansa", {"status", run_folder, "--json"}, "status");
    const auto rounds = nlohmann::json::parse(status.substr(status.find("\n{") + 1))["rounds"];
    ASSERT_GT(rounds.size(), 0U);
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      EXPECT_EQ(rounds[i]["round"], i + 1);
      EXPECT_EQ(rounds[i]["counted"], clients) << rounds[i].dump(1);
      EXPECT_TRUE(rounds[i].contains("secure")) << rounds[i].dump(1);
    }
  }
  std::string hansa(std::vector<std::string> arguments, const std::string& name) {
    arguments.insert(arguments.end(), {"--folder", folder.string()});
    return run("hansa", arguments, name);
  }
};

TEST_F(RotationProgram, ADeviceChangesItsKeyDuringARunAndNoRoundIsLost) {
  enable_enrolment("root_key = \"keys/root.key\"\n");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 2);
  const auto old_key = read_text_file(site(1) / "client.key", 4'096).value();
  run("hansa-client", {"rotate", client_file(1).string(), "--address", join_port(aggregator)}, "rotate");
  EXPECT_TRUE(members[0].wait_for_output("uses the changed keys", seconds(60))) << members[0].output();
  expect_rounds(aggregator, 5);
  const std::string audit = hansa({"audit"}, "audit");
  EXPECT_NE(audit.find("device.key_changed  client-01"), std::string::npos) << audit;

  // The thief of the old key, with a configuration of its own.
  fs::copy(site(1), temporary / "thief", fs::copy_options::recursive);
  fs::remove_all(temporary / "thief" / "state");
  replace(temporary / "thief" / "client.toml", "file = \"[^\"]*\"",
          "file = \"" + (folder / "rows.csv").string() + "\"");
  ASSERT_TRUE(write_file_atomically(temporary / "thief" / "client.key", old_key, FileAccess::owner_only));
  ChildProcess thief("hansa-client", {(temporary / "thief" / "client.toml").string()}, log("thief"));
  EXPECT_TRUE(thief.wait_for_output("does not admit", seconds(60))) << thief.output();
  stop(aggregator);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(aggregator);
}

// The device was switched off during the whole overlap.
TEST_F(RotationProgram, ADeviceThatWasAwayDuringTheOverlapContinuesByTheSameCommand) {
  enable_enrolment("");
  replace(folder / "federation.toml", "\\[aggregator\\]", "[aggregator]\nkey_overlap_days = 0");
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  const std::vector<std::string> rotate{"rotate", client_file(1).string(), "--address",
                                        join_port(aggregator)};
  ChildProcess asks("hansa-client", rotate, log("asks"));
  ASSERT_TRUE(asks.wait_for_output("waits for the operator: hansa approve client-01", seconds(60)))
      << asks.output();
  asks.signal(SIGKILL);
  static_cast<void>(asks.wait(seconds(60)));
  EXPECT_NE(hansa({"approve"}, "waiting").find("a new key"), std::string::npos);
  hansa({"approve", "client-01"}, "approve");
  // The overlap is over: the key that the device still has is refused, and the check says what to do.
  for (int tries = 0; tries < 20; ++tries) {
    ChildProcess again("hansa-client", {"check", client_file(1).string()}, log("check-again"));
    if (again.wait(seconds(60)) != 0 && again.output().find("hansa-client rotate") != std::string::npos)
      break;
    EXPECT_LT(tries, 19) << again.output();
  }
  run("hansa-client", rotate, "continues");
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 2);
  stop(aggregator);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(aggregator);
}

TEST_F(RotationProgram, AFederationWithoutAnEnrolmentPortChangesADevicesKeyByFiles) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 1);
  const fs::path request = temporary / "client-01.rotation";
  run("hansa-client", {"rotate", client_file(1).string(), "--request", request.string()}, "request");
  hansa({"approve", "--rotation", request.string()}, "approve");
  run("hansa-client",
      {"rotate", client_file(1).string(), "--certificate", (folder / "admitted" / "client-01.next").string()},
      "certificate");
  EXPECT_TRUE(members[0].wait_for_output("uses the changed keys", seconds(60))) << members[0].output();
  expect_rounds(aggregator, 2);
  stop(aggregator);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(aggregator);
}

TEST_F(RotationProgram, TheAggregatorChangesItsKeyDuringARunAndNoRoundIsLost) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 2);
  const std::string old_key = read_text_file(folder / "keys" / "aggregator.key", 4'096).value();
  hansa({"keys", "rotate", "aggregator", "--days", "0.0001"}, "rotate");  // 8 seconds
  for (ChildProcess& member : members)
    EXPECT_TRUE(member.wait_for_output("accepted what the root key states", seconds(60))) << member.output();
  ASSERT_TRUE(aggregator.wait_for_output("the aggregator begins to use its next key", seconds(100)))
      << aggregator.output();
  expect_rounds(aggregator, 3);
  EXPECT_NE(read_text_file(folder / "keys" / "aggregator.key", 4'096).value(), old_key);
  EXPECT_FALSE(fs::exists(folder / "keys" / "aggregator.key.next"));
  EXPECT_NE(hansa({"audit"}, "audit").find("aggregator.key_stated"), std::string::npos);
  stop(aggregator);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(aggregator);
}

TEST_F(RotationProgram, AClientThatWasAwayWhileTheAggregatorChangedItsKeyAcceptsTheStatement) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  members.push_back(start_client(1));
  members.push_back(start_client(2));
  ASSERT_TRUE(aggregator.wait_for_output("client-02 connected", seconds(60))) << aggregator.output();
  hansa({"keys", "rotate", "aggregator", "--days", "0"}, "rotate");
  // Those that are connected hear of it first.
  for (ChildProcess& member : members)
    EXPECT_TRUE(member.wait_for_output("accepted what the root key states", seconds(60))) << member.output();
  ASSERT_TRUE(aggregator.wait_for_output("the aggregator begins to use its next key", seconds(60)))
      << aggregator.output();
  members.push_back(start_client(3));
  EXPECT_TRUE(members[2].wait_for_output("is probably not its key", seconds(60))) << members[2].output();
  EXPECT_NE(members[2].output().find("hansa-client accept"), std::string::npos) << members[2].output();
  // Neither an altered file nor one of another root key helps.
  const fs::path statements = temporary / "statements";
  std::string text = read_text_file(folder / "statements", 1 << 14).value();
  text[text.rfind('\n') - 1] = text[text.rfind('\n') - 1] == '0' ? '1' : '0';
  ASSERT_TRUE(write_file_atomically(statements, text));
  ChildProcess altered("hansa-client", {"accept", client_file(3).string(), statements.string()},
                       log("altered"));
  EXPECT_EQ(altered.wait(seconds(60)), exit_code(ErrorCode::refused)) << altered.output();
  EXPECT_EQ(last_round(aggregator), 0);
  // One command, and the client that is running connects.
  run("hansa-client", {"accept", client_file(3).string(), (folder / "statements").string()}, "accept");
  expect_rounds(aggregator, 2);
  stop(aggregator);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(aggregator);
}

// The root key `next` takes the place of the one in keys/root.key.
class RootRotationProgram : public RotationProgram {
 protected:
  [[nodiscard]] fs::path next() const { return folder / "keys" / "root-2.key"; }
  void make_next() {
    run("hansa", {"keys", "generate", "root-2", "--folder", (folder / "keys").string()}, "generate");
  }
  void certify(const fs::path& root, const std::vector<int>& members, const std::string& name) {
    std::vector<std::string> words{"keys", "certify", "--root", root.string(), "--federation", "federation"};
    for (const int i : members)
      words.push_back((folder / "admitted" / ("client-0" + std::to_string(i) + ".pub")).string());
    run("hansa", words, name);
  }
  // The aggregator with the new root key and the model that it signed.
  ChildProcess start_again() {
    run("hansa", {"model", "sign", (folder / "model.pt").string(), "--key", next().string()}, "sign-again");
    std::string identity = run("hansa", {"keys", "show", "--identity", next().string()}, "identity");
    identity.resize(64);
    replace(folder / "federation.toml", "root = \"[0-9a-f]*\"", "root = \"" + identity + "\"");
    return start_aggregator("again");
  }
};

TEST_F(RootRotationProgram, TheRootKeyChangesDuringARunAndNoRoundIsLost) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 2);
  make_next();
  hansa({"keys", "rotate", "root", "--root", root_key().string(), "--next", next().string()}, "rotate");
  for (ChildProcess& member : members)
    EXPECT_TRUE(member.wait_for_output("uses the changed keys", seconds(60))) << member.output();
  certify(next(), {1, 2, 3}, "certify");
  expect_rounds(aggregator, 3);
  stop(aggregator);
  auto again = start_again();
  expect_rounds(again, 3);
  stop(again);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(again);
}

using AdversaryRootRotation = RootRotationProgram;
// The overlap is none, so that it has ended when the statement is made.
TEST_F(AdversaryRootRotation, AfterTheOverlapTheFormerRootKeyCertifiesNobody) {
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> members;
  start_all(members);
  expect_rounds(aggregator, 2);
  make_next();
  hansa({"keys", "rotate", "root", "--root", root_key().string(), "--next", next().string(), "--days", "0"},
        "rotate");
  for (ChildProcess& member : members)
    EXPECT_TRUE(member.wait_for_output("uses the changed keys", seconds(60))) << member.output();
  EXPECT_TRUE(aggregator.wait_for_output("client-01 cannot take part", seconds(60))) << aggregator.output();
  certify(next(), {1, 2, 3}, "certify");
  stop(aggregator);
  auto again = start_again();
  expect_rounds(again, 2);
  // The thief of the former root key.
  certify(root_key(), {3}, "thief");
  EXPECT_TRUE(again.wait_for_output("client-03 cannot take part", seconds(60))) << again.output();
  EXPECT_NE(again.output().find("not signed by the federation's root key"), std::string::npos)
      << again.output();
  certify(next(), {3}, "repair");
  EXPECT_TRUE(again.wait_for_output("client-03 has a certificate now", seconds(60))) << again.output();
  expect_rounds(again, 2);
  stop(again);
  for (ChildProcess& member : members) stop(member);
  expect_no_round_lost(again);
}

}  // namespace
}  // namespace hansa::testing
