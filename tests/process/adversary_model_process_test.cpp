// Attacks with a model, on the real programs: an aggregator in other hands, and an operator who forgot to sign.
#include <fstream>

#include <gtest/gtest.h>

#include "common/error.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

// Three clients, whose devices have the operator's root key in their configuration.
class AdversaryModelProcess : public ProgramTest {
 protected:
  void SetUp() override {
    run("hansa", {"new", folder.string(), "--clients", "3", "--clients-min", "3", "--rounds", "2"}, "new");
    create_model();
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    train_on_all_examples();
    ASSERT_TRUE(write_file_atomically(folder / "rows.csv", "x,y,z\n1,0,0\n2,1,0\n3,1,1\n"));
    for (int i = 1; i <= 3; ++i)
      replace(client_file(i), "\\[data\\][^\\[]*",
              "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"z\"\n\n");
  }
  void create_model() {
    std::filesystem::remove(model());
    run("hansa", {"model", "create", "logistic", model(), "--inputs", "2", "--classes", "2"}, "model");
  }
  void sign(const std::string& key) {
    run("hansa", {"model", "sign", model(), "--key", (folder / "keys" / key).string()}, "sign");
  }
  [[nodiscard]] std::string model() const { return (folder / "model.pt").string(); }
  // How a program ends that must fail at its start.
  std::string failure(const std::string& program, const std::filesystem::path& config) {
    ChildProcess child(program, {config.string()}, log("failure"));
    EXPECT_EQ(child.wait(seconds(60)), exit_code(ErrorCode::usage)) << child.output();
    return child.output();
  }
};

TEST_F(AdversaryModelProcess, ASignedModelIsTrained) {
  sign("root.key");
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  ASSERT_EQ(aggregator.wait(seconds(120)), 0) << aggregator.output();
  for (auto& client : clients) EXPECT_EQ(client.wait(seconds(60)), 0) << client.output();
  const std::string run_folder = line(aggregator.output(), "run folder: ").substr(12);
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(run_folder) / "archive.pt.manifest"));
  EXPECT_NE(
      run("hansa", {"model", "verify", model(), "--root", (folder / "keys" / "root.pub").string()}, "verify")
          .find("signed: model \"model\""),
      std::string::npos);
}

// Whoever has the aggregator has its key and its configuration, but not the root key: they set a root key of their own.
TEST_F(AdversaryModelProcess, DevicesDoNotRunTheModelOfAnAggregatorInOtherHands) {
  const auto keys = (folder / "keys").string();
  run("hansa", {"keys", "generate", "evil", "--folder", keys}, "generate");
  std::string evil = run("hansa", {"keys", "show", "--identity", keys + "/evil.pub"}, "show");
  evil.resize(64);
  replace(folder / "federation.toml", "root = \"[^\"]*\"", "root = \"" + evil + "\"");
  std::vector<std::string> certify{"keys",         "certify",   "--root", keys + "/evil.key",
                                   "--federation", "federation"};
  for (int i = 1; i <= 3; ++i)
    certify.push_back((folder / "admitted" / site(i).filename()).string() + ".pub");
  run("hansa", certify, "certify");
  sign("evil.key");
  auto aggregator = start_aggregator("aggregator");
  std::vector<ChildProcess> clients;
  for (int i = 1; i <= 3; ++i) clients.push_back(start_client(i));
  for (auto& client : clients)
    EXPECT_TRUE(client.wait_for_output("is not signed by the root key", seconds(60))) << client.output();
  for (int i = 1; i <= 3; ++i) {
    const auto archives = site(i) / "state" / "archives";
    EXPECT_TRUE(std::filesystem::is_empty(archives)) << "nothing of the archive was stored";
  }
}

TEST_F(AdversaryModelProcess, AnAggregatorDoesNotStartWithAModelThatChangedAfterItWasSigned) {
  const std::string changed = failure("hansa-aggregator", folder / "federation.toml");
  EXPECT_NE(changed.find("is for archive"), std::string::npos) << changed;
  EXPECT_NE(changed.find("hansa model sign"), std::string::npos) << changed;
  std::filesystem::remove(model() + ".manifest");
  const std::string missing = failure("hansa-aggregator", folder / "federation.toml");
  EXPECT_NE(missing.find("does not exist"), std::string::npos) << missing;
  EXPECT_NE(missing.find("hansa model sign"), std::string::npos) << missing;
}

TEST_F(AdversaryModelProcess, AClientThatApprovesNoModelDoesNotStart) {
  replace(client_file(1), "\\[secure_aggregation\\][^\\[]*", "");
  const std::string output = failure("hansa-client", client_file(1));
  EXPECT_NE(output.find("approves no model"), std::string::npos) << output;
  EXPECT_NE(output.find("set [model] root"), std::string::npos) << output;
}

}  // namespace
}  // namespace hansa::testing
