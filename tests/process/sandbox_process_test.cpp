// hansa-client and its trainer as real processes: a killed trainer, an idle client, a client without the sandbox.
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

// The processes that any thread of this process has started.
std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", error)) {
    std::ifstream file(thread.path() / "children");
    for (pid_t child = 0; file >> child;) out.push_back(child);
  }
  return out;
}

std::uint64_t resident_kib(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  return 0;
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Two clients with three examples each, and a logistic regression.
class SandboxedFederation : public ProgramTest {
 protected:
  void create(int rounds) {
    const std::string model = (folder / "model.pt").string();
    run("hansa",
        {"new", folder.string(), "--clients", "2", "--rounds", std::to_string(rounds), "--clients-min", "1"},
        "new");
    std::filesystem::remove(model);
    run("hansa", {"model", "create", "logistic", model, "--inputs", "1", "--classes", "3"}, "model");
    run("hansa", {"model", "sign", model, "--key", (folder / "keys" / "root.key").string()}, "sign");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(folder / "federation.toml", "quorum = 0.8", "quorum = 0.5");
    train_on_all_examples();
    ASSERT_TRUE(write_file_atomically(folder / "fixed.csv", "x,y\n1,0\n2,1\n3,2\n"));
    for (int i = 1; i <= 2; ++i)
      replace(client_file(i), "\\[data\\][^\\[]*",
              "[data]\nkind = \"csv\"\nfile = \"../../fixed.csv\"\nlabel = \"y\"\n\n");
  }
  void set_resources(int i, const std::string& keys) {
    replace(client_file(i), "\\[resources\\]", "[resources]\n" + keys);
    const auto text = read_text_file(client_file(i), 1 << 20);
    if (text->find(keys) != std::string::npos) return;
    ASSERT_TRUE(write_file_atomically(client_file(i), *text + "\n[resources]\n" + keys + "\n"));
  }
};

using AdversarySandboxProcess = SandboxedFederation;

// Without its data the client gets no task. It looks again by itself.
TEST_F(AdversarySandboxProcess, ATrainerThatIsKilledWhileItOpensTheDataIsStartedAgain) {
  create(100'000);
  auto aggregator = start_aggregator("aggregator");
  auto first = start_client(1);
  std::vector<pid_t> trainers;
  while (trainers.empty()) {
    ASSERT_FALSE(first.wait(seconds(0))) << first.output();
    trainers = children_of(first.process());
  }
  ASSERT_EQ(::kill(trainers.front(), SIGKILL), 0);
  EXPECT_TRUE(first.wait_for_output("trained on 3 examples", seconds(100))) << first.output();
  EXPECT_NE(first.output().find("the data can be used now"), std::string::npos) << first.output();
  aggregator.signal(SIGTERM);
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
}

// The plugin is a pipe to which nobody writes. Nothing has to be connected for the client to end.
TEST_F(SandboxedFederation, AClientWhoseDataNeverOpensEndsWhenItIsAsked) {
  create(1);
  ASSERT_EQ(::mkfifo((folder / "plugin.so").c_str(), 0600), 0);
  replace(client_file(1), "\\[data\\][^\\[]*",
          "[data]\nkind = \"camera\"\nplugin = \"../../plugin.so\"\nfile = \"../../fixed.csv\"\n\n");
  ChildProcess client("hansa-client", {client_file(1).string()}, log("client"));
  while (children_of(client.process()).empty()) ASSERT_FALSE(client.wait(seconds(0))) << client.output();
  client.signal(SIGTERM);
  EXPECT_EQ(client.wait(seconds(100)), 0) << client.output();
  EXPECT_NE(client.output().find("stops"), std::string::npos) << client.output();
}

TEST_F(AdversarySandboxProcess, ATrainerThatIsKilledCostsOneTaskAndTheClientLives) {
  create(100'000);
  auto aggregator = start_aggregator("aggregator");
  auto first = start_client(1);
  ASSERT_TRUE(first.wait_for_output("trained on 3 examples", seconds(100))) << first.output();
  const std::vector<pid_t> trainers = children_of(first.process());
  ASSERT_EQ(trainers.size(), 1U);
  ASSERT_EQ(::kill(trainers.front(), SIGKILL), 0);
  const std::size_t before = count_of(first.output(), "trained on 3 examples");
  while (count_of(first.output(), "trained on 3 examples") < before + 2)
    ASSERT_FALSE(first.wait(seconds(1))) << first.output();
  EXPECT_NE(children_of(first.process()), trainers);
  aggregator.signal(SIGTERM);
  EXPECT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
}

TEST_F(SandboxedFederation, AnIdleClientHoldsNoLibTorchAndLessThan20Megabytes) {
  create(5);
  for (int i = 1; i <= 2; ++i) {
    replace(client_file(i), "\\[client\\]", "[client]\nafter_federation = \"stay\"");
    set_resources(i, "trainer_idle_s = 0.2");
  }
  auto aggregator = start_aggregator("aggregator");
  auto first = start_client(1);
  auto second = start_client(2);
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  for (int i = 0; i < 200 && !children_of(first.process()).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(children_of(first.process()).empty()) << "the trainer outlives its idle time";
  RecordProperty("resident_kib", static_cast<int>(resident_kib(first.process())));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(resident_kib(first.process()), 20'000U);
#endif
  EXPECT_GT(resident_kib(first.process()), 1'000U);
  std::ostringstream maps;
  maps << std::ifstream("/proc/" + std::to_string(first.process()) + "/maps").rdbuf();
  EXPECT_EQ(maps.str().find("libtorch"), std::string::npos);
}

TEST_F(SandboxedFederation, TheStateIsReadableByItsUserOnly) {
  create(2);
  auto aggregator = start_aggregator("aggregator");
  auto first = start_client(1);
  auto second = start_client(2);
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  ASSERT_EQ(first.wait(seconds(60)), 0) << first.output();
  int files = 0;
  for (int i = 1; i <= 2; ++i)
    for (const auto& entry : std::filesystem::recursive_directory_iterator(site(i) / "state"))
      if (entry.is_regular_file()) {
        ++files;
        EXPECT_EQ(entry.status().permissions() & std::filesystem::perms(0077), std::filesystem::perms::none)
            << entry.path();
      }
  EXPECT_GT(files, 0);
}

TEST_F(SandboxedFederation, WithoutTheSandboxEachRoundLogsAWarning) {
  create(4);
  auto aggregator = start_aggregator("aggregator");
  auto first = start_client(1);
  ChildProcess second("hansa-client", {"--no-sandbox", client_file(2).string()}, log("client-2"));
  ASSERT_EQ(aggregator.wait(seconds(200)), 0) << aggregator.output();
  EXPECT_EQ(first.wait(seconds(60)), 0);
  EXPECT_EQ(second.wait(seconds(60)), 0) << second.output();
  EXPECT_EQ(count_of(second.output(), "without a sandbox"), count_of(second.output(), "trained on"))
      << second.output();
  EXPECT_GE(count_of(second.output(), "without a sandbox"), 1U);
  EXPECT_EQ(count_of(first.output(), "without a sandbox"), 0U);
}

}  // namespace
}  // namespace hansa::testing
