// hansa-client follows its data while it is killed repeatedly: its state has consumed exactly what was written.
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/hex.h"
#include "learning/data/follow/multiset_digest.h"
#include "tests/data/broker.h"
#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

using learning::testing::Broker;

// Two clients and a logistic regression. The first client follows its data. The rounds do not end by themselves.
class Following : public ProgramTest {
 protected:
  void SetUp() override {
    const std::string model = (folder / "model.pt").string();
    run("hansa", {"new", folder.string(), "--clients", "2", "--rounds", "100000", "--clients-min", "1"},
        "new");
    std::filesystem::remove(model);
    run("hansa", {"model", "create", "logistic", model, "--inputs", "1", "--classes", "3"}, "model");
    run("hansa", {"model", "sign", model, "--key", (folder / "keys" / "root.key").string()}, "sign");
    const auto federation = folder / "federation.toml";
    replace(federation, "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    train_on_all_examples();
    replace(federation, "clients_expected = 2", "clients_expected = 1");
    replace(federation, "quorum = 0.8", "quorum = 0.1");
    // A short deadline, because the round waits for a client that was killed; long enough to start a trainer under load.
    replace(federation, "deadline_s = 120", "deadline_s = 8");
    ASSERT_TRUE(write_file_atomically(folder / "fixed.csv", "x,y\n1,0\n2,1\n3,2\n"));
    replace(client_file(2), "\\[data\\][^\\[]*",
            "[data]\nkind = \"csv\"\nfile = \"../../fixed.csv\"\nlabel = \"y\"\n\n");
  }
  void follow(const std::string& keys) {
    replace(client_file(1), "\\[data\\][^\\[]*",
            "[data]\nkind = \"csv\"\nlabel = \"y\"\nfollow = true\nnew_max = 40\nreplay_max = 20\n" + keys +
                "\n\n");
  }
  std::string next_row() {
    const std::string row = std::to_string(written_) + "," + std::to_string(written_ % 3);
    expected_.add(row);
    ++written_;
    return row;
  }
  // Waits until all rows that were written have been consumed; then their digests must be equal.
  void expect_all_consumed() {
    const std::string state = (site(1) / "state").string();
    nlohmann::json source;
    for (int i = 0; i < 120; ++i) {
      ChildProcess asked("hansa", {"data", "consumed", state, "--json"},
                         log("consumed-" + std::to_string(i)));
      ASSERT_EQ(asked.wait(seconds(60)), 0) << asked.output();
      const auto consumed = nlohmann::json::parse(asked.output());
      ASSERT_EQ(consumed.at("sources").size(), 1U) << asked.output();
      source = consumed.at("sources").at(0);
      if (source.at("records").get<std::uint64_t>() >= written_) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(source.at("records"), written_);
    EXPECT_EQ(source.at("digest"), expected_.value().text()) << "of " << written_ << " rows";
  }

  std::uint64_t written_ = 0;
  learning::MultisetDigest expected_;
};

TEST_F(Following, AGrowingFileIsConsumedOnceHoweverOftenTheClientIsKilled) {
  follow("file = \"../../grows.csv\"");
  std::ofstream file(folder / "grows.csv");
  file << "x,y\n" << std::flush;
  auto aggregator = start_aggregator("aggregator");
  const auto other = start_client(2);
  const auto write_rows = [&](int rows) {
    for (int i = 0; i < rows; ++i) {
      const std::string row = next_row() + "\n";
      file << row.substr(0, 2) << std::flush << row.substr(2) << std::flush;  // rows are sometimes incomplete
    }
  };
  for (int kill = 0; kill < 6; ++kill) {
    ChildProcess client("hansa-client", {client_file(1).string()}, log("follower-" + std::to_string(kill)));
    write_rows(60);
    // From before the client is connected until it is in the middle of its rounds.
    if (kill > 0) {
      ASSERT_TRUE(client.wait_for_output("connected", seconds(60))) << client.output();
    }
    write_rows(60);
    if (kill > 2) std::this_thread::sleep_for(std::chrono::milliseconds(150 * (kill - 2)));
    client.signal(SIGKILL);
    ASSERT_EQ(client.wait(seconds(30)), -SIGKILL) << client.output();
  }
  const auto last = start_client(1);
  expect_all_consumed();
}

// A grey image of one pixel.
std::string tiny_png() {
  std::array<std::uint8_t, 67> out{};
  EXPECT_TRUE(from_hex(
      "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a4944415478da63680000008200"
      "81da45083b0000000049454e44ae426082",
      out));
  return {out.begin(), out.end()};
}

TEST_F(Following, ImagesThatArriveAreConsumedOnceAndDamagedOnesAreCounted) {
  std::filesystem::remove(folder / "model.pt");
  run("hansa",
      {"model", "create", "logistic", (folder / "model.pt").string(), "--inputs", "64", "--classes", "3"},
      "model-of-images");
  run("hansa",
      {"model", "sign", (folder / "model.pt").string(), "--key", (folder / "keys" / "root.key").string()},
      "sign-of-images");
  const std::string keys =
      "kind = \"images\"\nclasses = [\"a\", \"b\", \"c\"]\nsize = 8\ncolor = \"grey\"\nclass_folders = ";
  replace(client_file(1), "\\[data\\][^\\[]*",
          "[data]\nfollow = true\nnew_max = 40\nreplay_max = 20\n" + keys + "\"../../arriving\"\n\n");
  replace(client_file(2), "\\[data\\][^\\[]*", "[data]\n" + keys + "\"../../fixed\"\n\n");
  const std::string png = tiny_png();
  for (const char* name : {"arriving/a", "arriving/b", "arriving/c", "fixed/a", "fixed/b", "fixed/c"})
    std::filesystem::create_directories(folder / name);
  ASSERT_TRUE(write_file_atomically(folder / "fixed" / "a" / "1.png", png));
  std::uint64_t files = 0;
  const auto write_files = [&](int count) {
    for (int i = 0; i < count; ++i, ++files) {
      const bool is_damaged = files % 10 == 7;
      const auto path = folder / "arriving" / std::string(1, static_cast<char>('a' + files % 3)) /
                        (std::to_string(files) + ".png");
      ASSERT_TRUE(write_file_atomically(path, is_damaged ? png.substr(0, 40) : png));
    }
  };
  auto aggregator = start_aggregator("aggregator");
  const auto other = start_client(2);
  for (int kill = 0; kill < 3; ++kill) {
    ChildProcess client("hansa-client", {client_file(1).string()}, log("follower-" + std::to_string(kill)));
    write_files(15);
    ASSERT_TRUE(client.wait_for_output("connected", seconds(60))) << client.output();
    write_files(15);
    client.signal(SIGKILL);
    ASSERT_EQ(client.wait(seconds(30)), -SIGKILL) << client.output();
  }
  const auto last = start_client(1);
  std::uint64_t consumed = 0, examples = 0;
  for (int i = 0; i < 300 && consumed < files; ++i) {
    ChildProcess asked("hansa", {"data", "consumed", (site(1) / "state").string(), "--json"},
                       log("consumed-" + std::to_string(i)));
    ASSERT_EQ(asked.wait(seconds(60)), 0) << asked.output();
    consumed = examples = 0;
    const auto listed = nlohmann::json::parse(asked.output());
    for (const auto& source : listed.at("sources")) {
      ASSERT_EQ(source.at("records"), 1);
      ++consumed;
      examples += source.at("examples").get<std::uint64_t>();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(consumed, files);
  EXPECT_EQ(examples, files - files / 10) << "one of ten is damaged";
}

// 40 examples are consumed and the reservoir holds 20, so most rounds depend on which examples stay.
TEST_F(Following, ASimulationWithAFullReservoirGivesTheSameModelEachTime) {
  follow("file = \"../../rows.csv\"");
  std::ofstream file(folder / "rows.csv");
  file << "x,y\n";
  for (int i = 0; i < 60; ++i) file << next_row() << "\n";
  file.close();
  const auto model_of = [&](const std::string& name, const std::string& threads) {
    const auto out = nlohmann::json::parse(run(
        "hansa",
        {"simulate", (folder / "federation.toml").string(), "--rounds", "4", "--threads", threads, "--json"},
        name));
    return out.at("final_model").get<std::string>();
  };
  const std::string model = model_of("simulate-1", "1");
  EXPECT_EQ(model_of("simulate-2", "1"), model);
  EXPECT_EQ(model_of("simulate-3", "2"), model);
}

TEST_F(Following, ATopicIsConsumedOnceHoweverOftenClientAndBrokerAreKilled) {
  if (!Broker::is_installed()) GTEST_SKIP() << "the package mosquitto is not installed";
  Broker broker(temporary, Broker::Channel::encrypted);
  broker.open_session("hansa-federation-client-01");
  follow("columns = [\"x\"]\nbroker = \"" + broker.config().address() + "\"\ntopic = \"" +
         broker.config().topic + "\"\nbroker_ca_file = \"" + broker.ca_file().string() + "\"");
  auto aggregator = start_aggregator("aggregator");
  const auto other = start_client(2);
  for (int kill = 0; kill < 5; ++kill) {
    ChildProcess client("hansa-client", {client_file(1).string()}, log("follower-" + std::to_string(kill)));
    for (int i = 0; i < 30; ++i) broker.publish(next_row());
    if (kill > 0) {
      ASSERT_TRUE(client.wait_for_output("connected", seconds(60))) << client.output();
    }
    for (int i = 0; i < 30; ++i) broker.publish(next_row());
    if (kill % 2 == 1) {
      broker.stop(SIGTERM);
      broker.start();
      for (int i = 0; i < 10; ++i) broker.publish(next_row());
    }
    client.signal(SIGKILL);
    ASSERT_EQ(client.wait(seconds(30)), -SIGKILL) << client.output();
  }
  const auto last = start_client(1);
  expect_all_consumed();
}

}  // namespace
}  // namespace hansa::testing
