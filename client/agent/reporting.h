// What the aggregator may learn of this device in addition to its updates: the only place that turns errors into reports.
//
// The text of an error may quote the device's data or what a model's code raised, so that only the reason is sent.
#pragma once
#include <cstdint>
#include <string_view>

#include "common/error.h"
#include "protocols/messages/report.h"

namespace hansa::client {

enum class ReportDetails : std::uint8_t {
  withheld,
  sent,  // the full text, for debugging: [client] report_details
};
struct ReportPolicy {
  ReportDetails details = ReportDetails::withheld;
  DataKind data_kind = DataKind::other;  // of [data], added to reports about data
};
// The kind of data with this name; `other` for a plugin's.
[[nodiscard]] DataKind data_kind_of(std::string_view name);

[[nodiscard]] messages::Report report_of(const Error& error, const ReportPolicy& policy);
// For an error that came from the trainer, after the model's code had run. That code can choose how it fails, and in a
// secure sum nothing else of a training is visible. So such a report is one of a few reasons, and a number in it is a
// power of two.
[[nodiscard]] messages::Report report_of_training(const Error& error, const ReportPolicy& policy);

// The smallest power of two that is at least `count`, at most 2^63; 0 for 0. Where updates go into a secure sum, the
// exact number of examples is the weight that the sum hides.
[[nodiscard]] std::uint64_t visible_count(std::uint64_t count);
// The smallest power of two that is at least `seconds`, from 2^-4 to 2^20 s.
[[nodiscard]] double visible_seconds(double seconds);

}  // namespace hansa::client
