// A test fixture with a federation that devices join by tokens, and rows for them to train on.
#pragma once
#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/program_test.h"

namespace hansa::testing {

class JoinProgram : public ProgramTest {
 protected:
  // A federation of three, of which none is there; two clients are enough for a round without secure aggregation.
  void SetUp() override {
    run("hansa", {"new", folder.string(), "--clients", "3", "--rounds", "2", "--clients-min", "2"}, "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(folder / "federation.toml", "clients_expected = 3", "clients_expected = 2");
    std::filesystem::remove(folder / "model.pt");
    run("hansa",
        {"model", "create", "logistic", (folder / "model.pt").string(), "--inputs", "2", "--classes", "2"},
        "model");
    run("hansa",
        {"model", "sign", (folder / "model.pt").string(), "--key", (folder / "keys" / "root.key").string()},
        "sign");
    std::string rows = "a,b,y\n";
    for (int i = 0; i < 200; ++i)
      rows += std::to_string(i % 7) + "," + std::to_string(i % 3) + "," + std::to_string(i % 2) + "\n";
    ASSERT_TRUE(write_file_atomically(folder / "rows.csv", rows));
    ASSERT_TRUE(write_file_atomically(
        temporary / "data.txt",
        "kind = \"csv\"\nfile = \"" + (folder / "rows.csv").string() + "\"\nlabel = \"y\"\n"));
  }
  void enable(const std::string& more = "") {
    auto text = read_text_file(folder / "federation.toml", 1 << 20);
    ASSERT_TRUE(text);
    ASSERT_TRUE(write_file_atomically(folder / "federation.toml",
                                      *text + "\n[enrolment]\nbind = \"tcp://127.0.0.1:0\"\n" + more));
  }
  // Where devices join at this aggregator.
  static std::string port_of(const ChildProcess& aggregator) {
    std::smatch match;
    const std::string output = aggregator.output();
    EXPECT_TRUE(std::regex_search(output, match, std::regex("devices join at (tcp://127.0.0.1:[0-9]+)")))
        << output;
    return match[1];
  }
  std::string invite(const std::string& label, const std::string& address,
                     const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"invite", "--folder",  folder.string(), "--label",
                                       label,    "--address", address};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::smatch match;
    const std::string output = run("hansa", arguments, "invite-" + label);
    EXPECT_TRUE(std::regex_search(output, match, std::regex("HANSA1[A-Z2-7]+"))) << output;
    return match[0];
  }
  [[nodiscard]] std::filesystem::path device(const std::string& name) const {
    return temporary / ("device-" + name);
  }
  ChildProcess start_join(const std::string& name, const std::string& token,
                          const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{
        "join", token, "--folder", device(name).string(), "--data", (temporary / "data.txt").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ChildProcess("hansa-client", arguments, log("join-" + name));
  }
  std::string hansa(std::vector<std::string> arguments, const std::string& name) {
    arguments.insert(arguments.end(), {"--folder", folder.string()});
    return run("hansa", arguments, name);
  }
  nlohmann::json devices(const std::string& name) {
    return nlohmann::json::parse(hansa({"devices", "--json"}, name));
  }
  static nlohmann::json find(const nlohmann::json& list, const std::string& name) {
    for (const auto& entry : list)
      if (entry.at("name") == name) return entry;
    return {};
  }
  ChildProcess start_device(const std::string& name) {
    return ChildProcess("hansa-client", {(device(name) / "client.toml").string()}, log("device-" + name));
  }
};

}  // namespace hansa::testing
