// Checks that a line which a state machine logs is as docs/logs.md describes its event.
#pragma once
#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "common/log_events.h"

namespace hansa::testing {

// The words of a LogEventInfo.
inline bool has_word(std::string_view words, const std::string& word) {
  std::istringstream stream{std::string(words)};
  return std::find(std::istream_iterator<std::string>(stream), {}, word) !=
         std::istream_iterator<std::string>();
}

// Line: the Log effect of the aggregator or of a client. A client's name is added by its logger.
template <class Line>
void expect_described(const Line& line) {
  EXPECT_FALSE(line.phase.empty()) << line.text;
  if (line.event == LogEvent::none) return;
  const auto found = std::ranges::find(log_events(), line.event, &LogEventInfo::event);
  ASSERT_NE(found, log_events().end()) << line.text;
  using Level = typename Line::Level;
  std::string level = line.level == Level::debug ? "debug" : line.level == Level::info ? "info" : "warning";
  if constexpr (requires { Level::error; })
    if (line.level == Level::error) level = "error";
  EXPECT_TRUE(has_word(found->levels, level)) << found->name << " at level " << level << ": " << line.text;
  EXPECT_TRUE(line.round || !has_word(found->fields, "round")) << found->name << ": " << line.text;
  if constexpr (requires { line.client; }) {
    EXPECT_TRUE(!line.client.empty() || !has_word(found->fields, "client"))
        << found->name << ": " << line.text;
  }
}

}  // namespace hansa::testing
