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

struct LiveConnection {
  std::string client;
  std::optional<std::uint64_t> new_examples;  // that it reported; empty: not known
  friend bool operator==(const LiveConnection&, const LiveConnection&) = default;
};

struct LiveAlarm {
  std::string level;  // "warning" or "error"
  std::string at;  // of the newest one; RFC 3339, UTC
  std::string text;  // of the newest one
  std::string event = {};  // common/log_events.h: "client.refused"; empty: the line is text only
  std::uint64_t count = 1;  // alarms with the same level and event, or without an event with the same text
  std::string first_at = at;
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
  std::vector<LiveConnection> connected_clients;  // by name; in the API, part of each device
  std::optional<double> starts_in_seconds;
  // server/coordinator/progress.h; while clients train, waits names those whose updates have not come
  std::string waits, exchange, retry, why_done;
  std::vector<LiveMember> members;  // of the current round
  std::vector<std::string> missing, left_out;
  std::uint64_t evaluations_waiting = 0, bytes_up = 0, bytes_down = 0;
  std::optional<double> round_seconds_median;  // of the last rounds
  std::optional<double> eta_seconds;  // until the last configured round
  std::vector<LiveAlarm> alarms;  // those that occurred last, oldest first
  friend bool operator==(const LiveState&, const LiveState&) = default;
};

}  // namespace hansa::server
