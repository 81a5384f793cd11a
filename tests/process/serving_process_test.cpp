// The model reaches the device: the files that real clients write are the aggregator's model.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/digest.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

class ServingFederation : public ProgramTest {
 protected:
  void SetUp() override {
    const std::string model = (folder / "model.pt").string();
    run("hansa", {"new", folder.string(), "--clients", "2", "--rounds", "3", "--clients-min", "2"}, "new");
    std::filesystem::remove(model);
    run("hansa", {"model", "create", "mlp", model, "--inputs", "1", "--classes", "3"}, "model");
    run("hansa", {"model", "sign", model, "--key", (folder / "keys" / "root.key").string()}, "sign");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    train_on_all_examples();
    ASSERT_TRUE(write_file_atomically(folder / "data.csv", "x,y\n1,0\n2,1\n3,2\n4,1\n"));
    for (int i = 1; i <= 2; ++i)
      replace(client_file(i), "\\[data\\][^\\[]*",
              "[data]\nkind = \"csv\"\nfile = \"../../data.csv\"\nlabel = \"y\"\n\n");
  }
  void serve(int i, const std::string& keys) {
    replace(client_file(i), "\\[resources\\]", "[serving]\n" + keys + "\n\n[resources]");
  }
  // Runs all rounds; returns the aggregator's output.
  std::string finish() {
    auto aggregator = start_aggregator("aggregator");
    auto one = start_client(1), two = start_client(2);
    EXPECT_EQ(aggregator.wait(seconds(120)), 0) << aggregator.output();
    EXPECT_EQ(one.wait(seconds(60)), 0) << one.output();
    EXPECT_EQ(two.wait(seconds(60)), 0) << two.output();
    first_log = one.output();
    return aggregator.output();
  }
  std::string metrics_of(const std::string& model, const std::string& name) {
    return run("hansa", {"evaluate", model, client_file(1).string(), "--json"}, name);
  }
  static nlohmann::json manifest_of(const std::filesystem::path& serving) {
    const auto text = read_text_file(serving / "manifest.json", 1 << 20);
    EXPECT_TRUE(text) << text.error().text();
    return nlohmann::json::parse(text.value_or("{}"));
  }
  [[nodiscard]] std::filesystem::path state(int i) const { return client_file(i).parent_path() / "state"; }

  std::string first_log;  // of the first client
};

TEST_F(ServingFederation, TheFilesOnTheDeviceAreTheAggregatorsModel) {
  serve(1, "folder = \"../../served\"");
  const std::string output = finish();
  const std::string run_folder = line(output, "run folder: ").substr(12);
  const std::string expected = metrics_of(run_folder, "of-run");

  const nlohmann::json manifest = manifest_of(folder / "served");
  EXPECT_EQ("final model: " + manifest.at("model").get<std::string>(), line(output, "final model: "));
  EXPECT_EQ(manifest.at("round"), 3);
  EXPECT_EQ(manifest.at("run"), std::filesystem::path(run_folder).filename().string());
  EXPECT_FALSE(manifest.contains("personal"));
  const auto digest = digest_of_file(folder / "served" / "global.pt");
  ASSERT_TRUE(digest);
  EXPECT_EQ(manifest.at("global").at("sha256"), digest->hex());
  EXPECT_EQ(metrics_of((folder / "served" / "global.pt").string(), "of-file"), expected);

  // The second client has no [serving]: its state holds the last model.
  EXPECT_EQ(metrics_of(state(1).string(), "of-state-1"), expected);
  EXPECT_EQ(metrics_of(state(2).string(), "of-state-2"), expected);
  const std::string copy = (folder / "copy.pt").string();
  run("hansa", {"model", "export", state(2).string(), "-o", copy}, "export");
  EXPECT_EQ(metrics_of(copy, "of-copy"), expected);
}

TEST_F(ServingFederation, PersonalLayersMakeAModelOfTheDeviceToo) {
  replace(folder / "federation.toml", "\\[model\\]", "[model]\npersonal = [\"fc2.*\"]");
  run("hansa",
      {"model", "sign", (folder / "model.pt").string(), "--key", (folder / "keys" / "root.key").string()},
      "sign-again");
  serve(1, "folder = \"../../served\"\nwrite = \"end\"");
  finish();
  const nlohmann::json manifest = manifest_of(folder / "served");
  ASSERT_TRUE(manifest.contains("personal")) << manifest.dump(1) << first_log;
  EXPECT_NE(manifest.at("personal").at("sha256"), manifest.at("global").at("sha256"));
  EXPECT_NE(metrics_of((folder / "served" / "personal.pt").string(), "of-personal"),
            metrics_of((folder / "served" / "global.pt").string(), "of-global"));
}

TEST_F(ServingFederation, DittosModelOfTheDeviceIsServed) {
  replace(folder / "federation.toml", "\\[model\\]", "[strategy]\nmethod = \"ditto\"\n[model]");
  serve(1, "folder = \"../../served\"\nwrite = \"end\"");
  finish();
  const nlohmann::json manifest = manifest_of(folder / "served");
  ASSERT_TRUE(manifest.contains("personal")) << manifest.dump(1) << first_log;
  EXPECT_NE(metrics_of((folder / "served" / "personal.pt").string(), "of-personal"),
            metrics_of((folder / "served" / "global.pt").string(), "of-global"));
}

TEST_F(ServingFederation, AFolderThatCannotBeWrittenIsAWarningAndTrainingContinues) {
  serve(1, "folder = \"../../data.csv\"");
  serve(2, "write = \"never\"");
  finish();
  EXPECT_NE(first_log.find("no model is written for programs of this device"), std::string::npos)
      << first_log;
  EXPECT_NE(first_log.find("trained on"), std::string::npos) << first_log;
  ChildProcess evaluate("hansa", {"evaluate", state(2).string(), client_file(1).string()}, log("nothing"));
  EXPECT_EQ(evaluate.wait(seconds(60)), exit_code(ErrorCode::usage)) << evaluate.output();
  EXPECT_NE(evaluate.output().find("[serving] write"), std::string::npos) << evaluate.output();
}

}  // namespace
}  // namespace hansa::testing
