// A test fixture with a federation's folder and the programs that work in it, for tests that start real processes.
#pragma once
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/process/child_process.h"
#include "tests/temporary_folder.h"

namespace hansa::testing {

using std::chrono::seconds;

class ProgramTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path log(const std::string& name) const {
    return temporary / (name + ".log");
  }
  [[nodiscard]] std::filesystem::path site(int i) const {
    return folder / "sites" / ("client-0" + std::to_string(i));
  }
  [[nodiscard]] std::filesystem::path client_file(int i) const { return site(i) / "client.toml"; }
  static void replace(const std::filesystem::path& file, const std::string& what, const std::string& with) {
    auto text = read_text_file(file, 1 << 20);
    ASSERT_TRUE(text.has_value()) << text.error().text();
    const std::string changed = std::regex_replace(*text, std::regex(what), with);
    ASSERT_TRUE(write_file_atomically(file, changed).has_value());
  }
  // Clients hold out no examples: which ones they would hold out depends on a key that is random.
  void train_on_all_examples() const {
    replace(folder / "federation.toml", "\\[evaluation\\.on_clients\\][^\\[]*\n\n", "");
  }
  // Runs a program that must succeed, and returns its output.
  std::string run(const std::string& program, const std::vector<std::string>& arguments,
                  const std::string& name) {
    ChildProcess child(program, arguments, log(name));
    EXPECT_EQ(child.wait(seconds(200)), 0) << child.output();
    // Tests run at the same time: the dashboard takes a free port.
    if (program == "hansa" && !arguments.empty() && arguments.front() == "new")
      replace(std::filesystem::path(arguments[1]) / "federation.toml", "listen = \"127.0.0.1:7471\"",
              "listen = \"127.0.0.1:0\"");
    return child.output();
  }
  // Starts the aggregator, and writes its port to the clients' configurations.
  ChildProcess start_aggregator(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{(folder / "federation.toml").string(), "--progress", "plain"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ChildProcess aggregator("hansa-aggregator", arguments, log(name));
    EXPECT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
    std::smatch match;
    const std::string output = aggregator.output();
    EXPECT_TRUE(std::regex_search(output, match, std::regex("at (tcp://127.0.0.1:[0-9]+)"))) << output;
    for (int i = 1; std::filesystem::exists(client_file(i)); ++i)
      replace(client_file(i), "address = \"[^\"]*\"", "address = \"" + match[1].str() + "\"");
    return aggregator;
  }
  ChildProcess start_client(int i) {
    return ChildProcess("hansa-client", {client_file(i).string()}, log("client-" + std::to_string(i)));
  }
  // The last line that starts with `start`; empty if there is none.
  static std::string line(const std::string& output, const std::string& start) {
    const auto at = output.rfind("\n" + start);
    return at == std::string::npos ? "" : output.substr(at + 1, output.find('\n', at + 1) - at - 1);
  }

  TemporaryFolder temporary;
  std::filesystem::path folder = temporary / "federation";  // created by `hansa new`
};

}  // namespace hansa::testing
