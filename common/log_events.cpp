#include "common/log_events.h"

#include <array>
#include <cstddef>

namespace hansa {
namespace {

using enum LogEvent;

// clang-format off
constexpr std::array table{
    LogEventInfo{program_failed, "program.failed", "error", "",
                 "The program ends because of this error; its exit code is in [exit-codes.md](exit-codes.md)."},
    LogEventInfo{program_stopping, "program.stopping", "info", "",
                 "A signal asked the program to stop."},

    LogEventInfo{run_started, "run.started", "info", "",
                 "The aggregator begins a run, or continues one; the message says which one and why."},
    LogEventInfo{run_ended, "run.ended", "info", "round",
                 "The run is finished, was stopped, or cannot continue: then program.failed follows."},
    LogEventInfo{run_diverged, "run.diverged", "warning", "round",
                 "The model becomes worse, or its values are not finite any more."},

    LogEventInfo{round_waiting, "round.waiting", "info warning", "round phase",
                 "The next round waits for its time or for new data (info), or for clients (warning)."},
    LogEventInfo{round_started, "round.started", "info", "round phase",
                 "An attempt at the round begins: its clients are asked to train."},
    LogEventInfo{round_committed, "round.committed", "info", "round phase",
                 "The round's model is stored; the message says how many clients are in it, and which ones were lost."},
    LogEventInfo{round_abandoned, "round.abandoned", "warning", "round phase",
                 "An attempt at the round came to nothing, and another one follows, or the run ends."},
    LogEventInfo{round_evaluated, "round.evaluated", "info", "round",
                 "The aggregator has evaluated the round's model."},
    LogEventInfo{evaluation_failed, "evaluation.failed", "debug error", "round",
                 "The round's model cannot be evaluated (error), or was removed before it was (debug)."},

    LogEventInfo{client_connected, "client.connected", "info", "client phase",
                 "A client has connected, with examples to train on."},
    LogEventInfo{client_lost, "client.lost", "info", "client phase",
                 "A client's session ended: it is silent, its connection was lost, it left, or it was removed."},
    LogEventInfo{client_refused, "client.refused", "warning", "client phase",
                 "A client's session is refused; the message says why."},
    LogEventInfo{client_disconnected, "client.disconnected", "warning", "client phase",
                 "A client sent more than it may, and its connection is ended."},
    LogEventInfo{client_can_train, "client.can_train", "info", "client phase",
                 "A client that could not train has examples now."},
    LogEventInfo{client_cannot_train, "client.cannot_train", "warning", "client phase",
                 "A client has no examples, or a fault in its data."},
    LogEventInfo{client_noticed, "client.noticed", "warning", "client phase",
                 "What the operator should know of a client, which stays: a notice of its own, other columns than those of the others, or most of the round's examples."},
    LogEventInfo{client_declined, "client.declined", "warning", "round client phase",
                 "A client declined its task because of another client."},
    LogEventInfo{client_set_aside, "client.set_aside", "info warning", "client phase",
                 "A client has nothing new to train on (info), or its task failed (warning): it takes part in no round for a while."},
    LogEventInfo{client_dropped, "client.dropped", "warning", "round client phase",
                 "A client is not in the round's sum any more, or does not help to open it."},
    LogEventInfo{client_at_fault, "client.at_fault", "warning", "client phase",
                 "A client, or one of two, does not follow the protocol, and stays in cohorts."},
    LogEventInfo{client_left_out, "client.left_out", "info warning", "client",
                 "A client is left out of cohorts for its faults; info: since before this start."},
    LogEventInfo{client_returned, "client.returned", "info", "client phase",
                 "A client may take part in rounds again."},
    LogEventInfo{lines_omitted, "lines.omitted", "warning", "",
                 "More lines about a client, an address or a reason were left out, so that nobody can fill the log."},

    LogEventInfo{update_sent, "update.sent", "debug", "round client phase",
                 "Client: the upload of its update begins."},
    LogEventInfo{update_counted, "update.counted", "debug", "round client phase",
                 "The update is in the round's sum. For a secure sum a client hears it again when the round is committed."},
    LogEventInfo{update_rejected, "update.rejected", "warning error", "round client phase",
                 "The update is refused, with the reason (warning at the aggregator, error at the client)."},

    LogEventInfo{device_pending, "device.pending", "info", "client",
                 "A device asks to join or to change its key, and waits for the operator's approval."},
    LogEventInfo{device_enrolled, "device.enrolled", "info", "client",
                 "A device has joined, or changed its key."},
    LogEventInfo{device_refused, "device.refused", "info", "",
                 "A device may not join or change its key, or cannot at the moment."},
    LogEventInfo{device_certified, "device.certified", "info", "client",
                 "A client has a certificate for secure sums now."},
    LogEventInfo{device_uncertified, "device.uncertified", "warning", "client",
                 "A client cannot take part in secure sums, because it has no valid certificate."},
    LogEventInfo{register_failed, "register.failed", "warning", "",
                 "The register of devices, the audit log or the folder of admitted clients cannot be read or written."},
    LogEventInfo{audit_noted, "audit.noted", "info", "",
                 "The number and the hash of the audit log's last entry: a witness outside of the register."},
    LogEventInfo{audit_broken, "audit.broken", "error", "",
                 "An entry of the audit log is not there any more: somebody has changed the register."},

    LogEventInfo{keys_changed, "keys.changed", "info", "",
                 "The program uses another key, or accepts that of the other side."},
    LogEventInfo{keys_refused, "keys.refused", "warning error", "",
                 "A key, or a statement about one, cannot be used."},

    LogEventInfo{link_connecting, "link.connecting", "debug", "client",
                 "The client connects to an address."},
    LogEventInfo{link_connected, "link.connected", "debug info", "client phase",
                 "The aggregator has opened a session (debug: and refused the client before)."},
    LogEventInfo{link_refused, "link.refused", "error", "client phase",
                 "The aggregator refuses this client; the message says why, and what helps."},
    LogEventInfo{link_accepted, "link.accepted", "info", "client phase",
                 "The aggregator accepts this client, after it had refused it."},
    LogEventInfo{link_lost, "link.lost", "info warning error", "client phase",
                 "The connection failed, ended or stands still, or the aggregator left (info); the client connects again."},
    LogEventInfo{check_passed, "check.passed", "info", "client",
                 "A check of a connection that fails found no fault."},
    LogEventInfo{check_failed, "check.failed", "error", "client",
                 "A check of a connection that fails found a cause."},
    LogEventInfo{task_received, "task.received", "debug", "round client phase",
                 "The client has the task of a round."},
    LogEventInfo{task_declined, "task.declined", "info error", "round client phase",
                 "The client declines the task; info: it has nothing new to train on."},
    LogEventInfo{task_trained, "task.trained", "info", "round client phase",
                 "The client has trained."},
    LogEventInfo{task_failed, "task.failed", "error", "round client phase",
                 "The training failed."},
    LogEventInfo{sum_progressed, "sum.progressed", "debug", "round client phase",
                 "A step of a secure sum is done."},
    LogEventInfo{sum_left, "sum.left", "error", "round client phase",
                 "The client leaves a secure sum, because another party does not follow the protocol."},
    LogEventInfo{data_usable, "data.usable", "info", "client",
                 "The data can be used, after it could not."},
    LogEventInfo{data_unusable, "data.unusable", "error", "client",
                 "The data cannot be used; the client looks again, and takes part when it can."},
    LogEventInfo{data_noticed, "data.noticed", "warning", "client",
                 "A fault in the data, or in what the device keeps, with which the client continues."},
    LogEventInfo{model_written, "model.written", "debug info", "round client",
                 "The model is in the serving folder (info: the last one)."},
    LogEventInfo{model_failed, "model.failed", "warning", "client",
                 "A model cannot be fetched or written for the programs of this device."},
    LogEventInfo{federation_finished, "federation.finished", "info", "client",
                 "The aggregator says that all rounds are done."},
};
// clang-format on

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].event) != i + 1) return false;
  return true;
}
static_assert(is_in_order() && table.size() == static_cast<std::size_t>(federation_finished));

}  // namespace

std::span<const LogEventInfo> log_events() noexcept { return table; }

std::string_view name(LogEvent event) noexcept {
  return event == none ? std::string_view() : table[static_cast<std::size_t>(event) - 1].name;
}

}  // namespace hansa
