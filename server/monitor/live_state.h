// What the aggregator does now, as plain values: `Live` of the HTTP API.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hansa::server {

struct LiveMember {
  std::string client;
  std::string state;  // round::name: "pending", "verifying", "counted", ...
  double since_seconds = 0;  // in this state
  std::optional<double> upload;  // 0 to 1, while its update is received
  friend bool operator==(const LiveMember&, const LiveMember&) = default;
};

struct LiveAlarm {
  std::string level;  // "warning" or "error"
  std::string at;  // RFC 3339, UTC
  std::string text;
  friend bool operator==(const LiveAlarm&, const LiveAlarm&) = default;
};

inline constexpr std::size_t live_alarms_max = 20;

struct LiveState {
  std::string run;
  std::string at;  // RFC 3339, UTC
  std::string phase;  // "gathering", "training", "unmasking", "committing" or "finished"
  double phase_seconds = 0;
  std::uint32_t round = 0;
  std::optional<std::uint32_t> rounds;  // empty: no end
  std::uint32_t attempt = 1;
  std::uint32_t connected = 0, ready = 0, needed = 0, expected = 0;
  std::optional<double> starts_in_seconds;
  std::string waits, exchange, retry, why_done;  // server/coordinator/progress.h
  std::vector<LiveMember> members;  // of the current round
  std::vector<std::string> missing, left_out;
  std::uint64_t evaluations_waiting = 0, bytes_up = 0, bytes_down = 0;
  std::optional<double> round_seconds_median;  // of the last rounds
  std::optional<double> eta_seconds;  // until the last configured round
  std::vector<LiveAlarm> alarms;  // the last ones, oldest first
  friend bool operator==(const LiveState&, const LiveState&) = default;
};

}  // namespace hansa::server
