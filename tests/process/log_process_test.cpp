// The log of the real programs as JSON lines: docs/logs.md.
#include <algorithm>
#include <csignal>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/log_events.h"
#include "common/text.h"
#include "tests/log_line.h"
#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

using Records = std::vector<nlohmann::json>;

// Each line must be a record as docs/logs.md describes it.
Records read_records(const std::string& lines) {
  Records out;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    const auto record = nlohmann::json::parse(line, nullptr, false);
    if (!record.is_object()) {
      ADD_FAILURE() << "no JSON: " << line;
      continue;
    }
    for (const auto& [key, value] : record.items())
      EXPECT_TRUE(key == "round" ? value.is_number_unsigned() : value.is_string()) << line;
    for (const char* key : {"time", "level", "component", "message"})
      EXPECT_TRUE(record.contains(key)) << line;
    EXPECT_TRUE(std::regex_match(record.value("time", ""),
                                 std::regex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z")))
        << line;
    if (record.contains("event")) {
      const auto known =
          std::ranges::find(log_events(), record["event"].get<std::string>(), &LogEventInfo::name);
      if (known == log_events().end()) {
        ADD_FAILURE() << "unknown event: " << line;
        continue;
      }
      EXPECT_TRUE(has_word(known->levels, record["level"])) << line;
      for (const char* field : {"round", "client", "phase"})
        EXPECT_TRUE(record.contains(field) || !has_word(known->fields, field)) << field << ": " << line;
    }
    out.push_back(record);
  }
  return out;
}

Records of_event(const Records& records, const std::string& event) {
  Records out;
  std::ranges::copy_if(records, std::back_inserter(out),
                       [&](const auto& record) { return record.value("event", "") == event; });
  return out;
}

std::string has_event(const std::string& event) { return "\"event\":\"" + event + "\""; }

// The programs have stdout in a file of their own: ChildProcess::output() is stderr.
class LogProgram : public RowsFederation {
 protected:
  ChildProcess start(const std::string& name, const std::string& program, std::vector<std::string> arguments,
                     std::vector<std::string> variables = {}) {
    arguments.insert(arguments.begin(),
                     {"-c", "exec \"$0\" \"$@\" > \"$STDOUT\"", (program_folder() / program).string()});
    variables.push_back("STDOUT=" + stdout_of(name).string());
    return ChildProcess("/bin/sh", arguments, log(name), 0, variables);
  }
  [[nodiscard]] std::filesystem::path stdout_of(const std::string& name) const {
    return temporary / (name + ".stdout");
  }
  // Writes its port to the clients' configurations.
  ChildProcess start_json_aggregator() {
    ChildProcess out =
        start("aggregator", "hansa-aggregator",
              {(folder / "federation.toml").string(), "--progress", "plain", "--log-format", "json"});
    EXPECT_TRUE(out.wait_for_output(has_event("run.started"), seconds(60))) << out.output();
    const std::string shown = read_text_file(stdout_of("aggregator"), 1 << 20).value();
    std::smatch match;
    EXPECT_TRUE(std::regex_search(shown, match, std::regex("at (tcp://127.0.0.1:[0-9]+)"))) << shown;
    for (int i = 1; std::filesystem::exists(client_file(i)); ++i)
      replace(client_file(i), "address = \"[^\"]*\"", "address = \"" + match[1].str() + "\"");
    return out;
  }
  ChildProcess start_json_client(int i, const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& variables = {}) {
    std::vector<std::string> all{client_file(i).string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return start("client-" + std::to_string(i), "hansa-client", all, variables);
  }
};

TEST_F(LogProgram, EachLineOfAFederationWithALostClientIsARecord) {
  create();
  auto aggregator = start_json_aggregator();
  auto one = start_json_client(1, {"--log-format", "json", "--log-level", "debug"});
  auto two = start_json_client(2, {}, {"HANSA_LOG_FORMAT=json", "HANSA_LOG=debug"});
  auto three = start_json_client(3, {"--log-format", "json"});
  ASSERT_TRUE(aggregator.wait_for_output("client-03 connected", seconds(100))) << aggregator.output();
  ASSERT_TRUE(aggregator.wait_for_output(has_event("round.committed"), seconds(100))) << aggregator.output();
  ASSERT_TRUE(three.wait_for_output(has_event("task.trained"), seconds(100))) << three.output();
  three.signal(SIGKILL);
  ASSERT_TRUE(aggregator.wait_for_output(has_event("client.lost"), seconds(100))) << aggregator.output();
  aggregator.signal(SIGTERM);
  ASSERT_EQ(aggregator.wait(seconds(60)), 0) << aggregator.output();
  ASSERT_TRUE(one.wait_for_output(has_event("link.lost"), seconds(60))) << one.output();
  one.signal(SIGTERM);
  two.signal(SIGTERM);
  ASSERT_EQ(one.wait(seconds(60)), 0);
  ASSERT_EQ(two.wait(seconds(60)), 0);

  const Records server = read_records(aggregator.output());
  EXPECT_EQ(of_event(server, "run.started").size(), 1U);
  EXPECT_EQ(of_event(server, "run.ended").size(), 1U);
  EXPECT_EQ(of_event(server, "client.connected").size(), 3U);
  const Records lost = of_event(server, "client.lost");
  ASSERT_FALSE(lost.empty());
  EXPECT_EQ(lost.front()["client"], "client-03");
  // Rounds start and are committed in order.
  unsigned committed = 0;
  for (const auto& record : server) {
    const std::string event = record.value("event", "");
    if (event == "round.committed") ++committed;
    if (event == "round.started" || event == "round.committed") {
      EXPECT_EQ(record["round"], event == "round.started" ? committed + 1 : committed) << record;
    }
  }
  EXPECT_GE(committed, 1U);

  for (auto* client : {&one, &two}) {
    const Records records = read_records(client->output());
    for (const char* event : {"link.connecting", "link.connected", "task.received", "task.trained",
                              "update.sent", "update.counted", "link.lost", "program.stopping"})
      EXPECT_FALSE(of_event(records, event).empty()) << event << "\n" << client->output();
    const std::string name = client == &one ? "client-01" : "client-02";
    for (const auto& record : records)
      EXPECT_TRUE(!record.contains("event") || record.value("client", "") == name) << record;
    EXPECT_EQ(of_event(records, "task.received").front()["round"], 1);
  }
  EXPECT_FALSE(read_records(three.output()).empty());
  // Each program's own key is in none of its lines.
  for (const auto& [program, key] : std::map<ChildProcess*, std::filesystem::path>{
           {&aggregator, folder / "keys" / "aggregator.key"}, {&one, site(1) / "client.key"}}) {
    const auto secret = read_text_file(key, 1 << 10);
    ASSERT_TRUE(secret) << secret.error().text();
    EXPECT_EQ(program->output().find(trimmed(*secret)), std::string::npos);
  }
}

TEST_F(LogProgram, TheErrorThatEndsAProgramIsARecord) {
  for (const char* program : {"hansa-aggregator", "hansa-client"}) {
    auto child = start(program, program, {(folder / "missing.toml").string(), "--log-format", "json"});
    EXPECT_EQ(child.wait(seconds(60)), 2) << child.output();
    const Records records = read_records(child.output());
    ASSERT_EQ(records.size(), 1U) << child.output();
    EXPECT_EQ(records[0]["event"], "program.failed");
    EXPECT_EQ(records[0]["component"], program);
    EXPECT_THAT(records[0]["message"].get<std::string>(), ::testing::HasSubstr("missing.toml"));
  }
}

TEST_F(LogProgram, AnUnknownFormatIsAnErrorWithAHint) {
  ChildProcess option("hansa-aggregator", {"federation.toml", "--log-format", "xml"}, log("option"));
  EXPECT_EQ(option.wait(seconds(60)), 2);
  EXPECT_EQ(option.output(),
            "hansa-aggregator: --log-format: \"xml\" is not a log format; use text or json\n");
  ChildProcess variable("hansa-client", {"client.toml"}, log("variable"), 0, {"HANSA_LOG_FORMAT=xml"});
  EXPECT_EQ(variable.wait(seconds(60)), 2);
  EXPECT_EQ(variable.output(),
            "hansa-client: HANSA_LOG_FORMAT: \"xml\" is not a log format; use text or json\n");
}

}  // namespace
}  // namespace hansa::testing
