#include "common/log_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/text.h"

namespace hansa {
namespace {

using ::testing::SizeIs;

LogRecord full_record() {
  LogRecord out;
  out.time = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1'767'322'996'007));
  out.level = LogLevel::warning;
  out.component = "aggregator";
  out.event = "client.left_out";
  out.message = "pi-03 is left out";
  out.round = RoundId(7);
  out.client = "pi-03";
  out.phase = "training";
  return out;
}

TEST(LogRecord, IsOneObjectOfJsonWithItsFieldsInOrder) {
  EXPECT_EQ(
      json_text(full_record()),
      "{\"time\":\"2026-01-02T03:03:16.007Z\",\"level\":\"warning\",\"component\":\"aggregator\","
      "\"event\":\"client.left_out\",\"message\":\"pi-03 is left out\",\"round\":7,\"client\":\"pi-03\","
      "\"phase\":\"training\"}");
}

TEST(LogRecord, WhatIsNotKnownIsAbsent) {
  LogRecord record = full_record();
  record.event.clear();
  record.round.reset();
  record.client.clear();
  record.phase.clear();
  EXPECT_EQ(json_text(record),
            "{\"time\":\"2026-01-02T03:03:16.007Z\",\"level\":\"warning\",\"component\":\"aggregator\","
            "\"message\":\"pi-03 is left out\"}");
}

TEST(LogRecord, ATimeBefore1970IsShownAs1970) {
  LogRecord record = full_record();
  record.time = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(-5));
  EXPECT_EQ(nlohmann::json::parse(json_text(record))["time"], "1970-01-01T00:00:00.000Z");
}

// Whatever a peer put into a name or a message, the line is one line of valid JSON with the other fields unchanged.
class HostileText : public testing::TestWithParam<std::string> {};

TEST_P(HostileText, StaysInItsFieldOfTheJson) {
  LogRecord record = full_record();
  record.message = record.client = record.component = record.event = record.phase = GetParam();
  const std::string line = json_text(record);
  EXPECT_TRUE(is_utf8(line));
  for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
  const auto json = nlohmann::json::parse(line);
  EXPECT_THAT(json, SizeIs(8)) << line;
  for (const char* field : {"message", "client", "component", "event", "phase"})
    EXPECT_EQ(json[field], printable(GetParam())) << field;
  EXPECT_EQ(json["round"], 7);
  EXPECT_EQ(json["level"], "warning");
}

INSTANTIATE_TEST_SUITE_P(Texts, HostileText,
                         testing::Values("\"", "\\", "\\\"", "a\",\"level\":\"error\",\"x\":\"", "\n{}\n",
                                         "\r\n\t\b\f", std::string("nul\0inside", 10), "\x1b[2J", "\x7f",
                                         "\xff\xfe", "half of a character \xe2\x82", "\xed\xa0\x80",
                                         "\xc2\x85 next line", "\xe2\x80\xa8 separator",
                                         "\xe2\x80\xae reversed", "\xf4\x90\x80\x80", "Müller 東京 🚀",
                                         "</script>", "%s%n{}"));

}  // namespace
}  // namespace hansa
