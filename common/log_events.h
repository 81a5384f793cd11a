// The events of the log: the lines that programs may rely on, by a short stable name. docs/logs.md has the same table,
// which a test compares with this one. A name is never reused for something else.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/log_record.h"

namespace hansa {

// clang-format off
enum class LogEvent : std::uint8_t {
  none,  // the line is text only
  // The federation at the aggregator.
  run_started, run_finished, run_stopped, run_failed, run_diverged, run_evaluated,
  round_started, round_committed, round_abandoned, round_waiting,
  // Clients, as the aggregator sees them.
  client_connected, client_lost, client_refused, client_left_out, client_declined, client_failed,
  update_counted, update_rejected,
  // Devices, their enrolment and keys.
  device_enrolled, device_refused, device_removed, key_changed, key_refused, audit_noted, audit_broken,
  // The client.
  link_connecting, link_connected, link_refused, link_lost, link_left,
  task_started, task_declined, task_failed, task_trained, update_sent, update_received,
  data_ready, data_unusable, check_finding,
};
// clang-format on

struct LogEventInfo {
  LogEvent event;
  std::string_view name;  // "round.committed"
  std::span<const LogLevel> levels;  // that its lines may have, the usual one first
  std::string_view fields;  // that its lines have: "round client phase"
  std::string_view meaning;  // one sentence
};

// All events but `none`, in the order of the documentation.
[[nodiscard]] std::span<const LogEventInfo> log_events();
// "" for `none`.
[[nodiscard]] std::string_view name(LogEvent event) noexcept;

}  // namespace hansa
