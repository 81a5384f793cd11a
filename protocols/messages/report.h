// What a client reports about an error: a reason, never a text that data or a model's code produced.
//
// The client chooses the reason (client/agent/reporting.h); here it becomes a sentence for the operator.
#pragma once
#include <cstddef>
#include <string>

#include "common/reason.h"

namespace hansa::messages {

inline constexpr std::size_t reports_max = 8;  // notices of a DataReport

struct Report {
  Reason reason;
  // The full text, only from a client with [client] report_details = true; at most text_bytes_max.
  std::string details = {};

  [[nodiscard]] bool empty() const { return !reason.is_known(); }
  friend bool operator==(const Report&, const Report&) = default;
};

// One line: where, what and a hint, and the details, escaped. Empty for an empty report. Total: a report from a hostile
// client gives a harmless line.
[[nodiscard]] std::string sentence(const Report& report);
// The same, or "it gave no reason".
[[nodiscard]] std::string reason_text(const Report& report);

}  // namespace hansa::messages
