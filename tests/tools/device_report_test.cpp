// What `hansa devices` prints.
#include "tools/device_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hansa::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
constexpr UtcSeconds noon{1'796'040'000};  // 2026-11-30T12:00:00Z

DeviceRow row(const std::string& name) {
  DeviceRow out;
  out.device.name = name;
  out.device.state = server::DeviceState::admitted;
  out.device.key.z85.fill('k');
  out.device.activity = {"hansa-client 0.1.0", UtcSeconds{noon.value - 180}, 60'000, 120, 3,
                         "round 9: it left"};
  out.measures = {1'234.5, 2'500'000.0, 1'500'000'000, 700'000'000};
  out.losses = {{"20261130-110000", RoundId(9), {noon.value - 600}, "it left"},
                {"20261130-110000", RoundId(4), {noon.value - 900}, "no update before the deadline"}};
  return out;
}

std::size_t widest(const std::string& text) {
  std::size_t out = 0, at = 0;
  for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    out = std::max(out, end - at);
  return out;
}

TEST(DeviceReport, ATableFitsATerminalOf80Columns) {
  std::vector<DeviceRow> rows{row("LINE-7"), row("hospital-north-4")};
  rows[1].device.label = "pump hall, left of the door";
  rows[1].standing = {2, 0, {noon.value + 7'200}};
  const std::string table = device_table(rows, noon, 80);
  EXPECT_LE(widest(table), 80U) << table;
  for (const char* text : {"name", "state", "counted", "lost", "ex/s", "up/s", "3 min", "left out"})
    EXPECT_THAT(table, HasSubstr(text));
  EXPECT_THAT(table,
              HasSubstr("hospital-north-4: left out of cohorts until 2026-11-30T14:00:00Z, for 2 faults"));
  EXPECT_THAT(table, Not(HasSubstr("software")));
  const std::string wide = device_table(rows, noon, 200);
  for (const char* text : {"label", "pump hall", "software", "bytes", "2.2 GB", "2.5 MB", "1234", "60000"})
    EXPECT_THAT(wide, HasSubstr(text)) << wide;
}

TEST(DeviceReport, ALongNameIsNeverCut) {
  const std::string name(70, 'n');
  const std::string table = device_table({row(name)}, noon, 80);
  EXPECT_THAT(table, HasSubstr(name));
  EXPECT_THAT(table, HasSubstr("lost"));
}

TEST(DeviceReport, ARestThatIsOverIsNotShown) {
  DeviceRow device = row("a");
  device.standing = {2, 0, {noon.value}};
  EXPECT_EQ(state_text(device, noon), "admitted");
  device.standing.left_out_until.value += 1;
  EXPECT_EQ(state_text(device, noon), "left out");
  device.device.state = server::DeviceState::revoked;
  EXPECT_EQ(state_text(device, noon), "revoked");
}

TEST(DeviceReport, ADeviceIsShownWithEachLostRound) {
  DeviceRow device = row("LINE-7");
  device.standing = {2, 0, {noon.value + 60}};
  const std::string text = device_text(device, noon);
  for (const char* part : {"left out of cohorts until 2026-11-30T12:01:00Z", "1234 examples/s", "2.5 MB/s",
                           "1.5 GB up, 700.0 MB down", "round 9 of run 20261130-110000:", "it left",
                           "no update before the deadline"})
    EXPECT_THAT(text, HasSubstr(part)) << text;
  EXPECT_LE(widest(text), 80U) << text;
}

TEST(DeviceReport, JsonHasEverything) {
  DeviceRow device = row("LINE-7");
  device.standing = {2, 0, {noon.value + 60}};
  const auto json = json_of(device, noon);
  EXPECT_EQ(json.at("state"), "left out");
  EXPECT_EQ(json.at("left_out_until"), "2026-11-30T12:01:00Z");
  EXPECT_EQ(json.at("faults"), 2);
  EXPECT_EQ(json.at("examples_per_s"), 1'234.5);
  EXPECT_EQ(json.at("upload_bytes_per_s"), 2'500'000.0);
  EXPECT_EQ(json.at("bytes_up"), 1'500'000'000);
  EXPECT_EQ(json.at("losses").size(), 2U);
  EXPECT_EQ(json.at("losses")[0].at("reason"), "it left");
}

TEST(DeviceReport, AHostileReasonIsOneLine) {
  DeviceRow device = row("a");
  device.losses = {{"run", RoundId(1), noon, "bad\nname: \x1b[31m"}};
  EXPECT_THAT(device_text(device, noon), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace hansa::tools
