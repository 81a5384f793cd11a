// The events of the log: lines that programs may rely on, each by a short stable name. docs/logs.md has the same table,
// and a test compares the two. A name is never used again for something else.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "common/log_record.h"

namespace hansa {

enum class LogEvent : std::uint8_t {
  none,  // the line is text only
  // Every program.
  program_failed,
  program_stopping,
  // A run, at the aggregator.
  run_started,
  run_ended,
  run_diverged,
  // Rounds, at the aggregator.
  round_waiting,
  round_started,
  round_committed,
  round_abandoned,
  round_evaluated,
  evaluation_failed,
  // Clients, as the aggregator sees them.
  client_connected,
  client_lost,
  client_refused,
  client_disconnected,
  client_can_train,
  client_cannot_train,
  client_noticed,
  client_declined,
  client_set_aside,
  client_dropped,
  client_at_fault,
  client_left_out,
  client_returned,
  lines_omitted,
  // Updates, at both ends.
  update_sent,
  update_counted,
  update_rejected,
  // Devices, keys and the audit log, at the aggregator.
  device_pending,
  device_enrolled,
  device_refused,
  device_certified,
  device_uncertified,
  register_failed,
  audit_noted,
  audit_broken,
  // Keys, at both ends.
  keys_changed,
  keys_refused,
  // The client.
  link_connecting,
  link_connected,
  link_refused,
  link_accepted,
  link_lost,
  check_passed,
  check_failed,
  task_received,
  task_declined,
  task_trained,
  task_failed,
  sum_progressed,
  sum_left,
  data_usable,
  data_unusable,
  data_noticed,
  model_written,
  model_failed,
  federation_finished,
};

struct LogEventInfo {
  LogEvent event;
  std::string_view name;  // "round.committed"
  std::string_view levels;  // that its lines may have: "info", "warning error"
  std::string_view
      fields;  // that each of its lines has: "round client phase"; others are there if they are known
  std::string_view meaning;  // one sentence; Markdown
};

// All events but `none`, in the order of the enumeration.
[[nodiscard]] std::span<const LogEventInfo> log_events() noexcept;
// "" for `none`.
[[nodiscard]] std::string_view name(LogEvent event) noexcept;

}  // namespace hansa
