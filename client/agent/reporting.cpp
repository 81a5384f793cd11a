#include "client/agent/reporting.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "common/text.h"
#include "protocols/messages/type.h"

namespace hansa::client {
namespace {

ReasonCode general_code(ErrorCode code) {
  static_assert(static_cast<int>(ReasonCode::usage) == static_cast<int>(ErrorCode::usage) + 1 &&
                static_cast<int>(ReasonCode::internal) == static_cast<int>(ErrorCode::internal) + 1);
  return static_cast<ReasonCode>(static_cast<std::uint8_t>(code) + 1);
}

bool is_about_data(ReasonCode code) {
  return code == ReasonCode::data || (code >= ReasonCode::data_unreadable && code <= ReasonCode::rows_lost) ||
         (code >= ReasonCode::contract_columns && code <= ReasonCode::columns_changed);
}

messages::Report report(Reason reason, const Error& error, const ReportPolicy& policy) {
  messages::Report out{std::move(reason), {}};
  if (policy.details == ReportDetails::sent) {
    out.details = printable(error.text());
    out.details.resize(utf8_prefix(out.details, messages::text_bytes_max));
  }
  return out;
}

}  // namespace

messages::Report report_of(const Error& error, const ReportPolicy& policy) {
  Reason reason = error.reason;
  if (!reason.is_known()) reason = {general_code(error.code), {}};
  if (is_about_data(reason.code) && policy.data_kind != DataKind::other)
    reason.numbers.insert(reason.numbers.begin(),
                          {Quantity::data_kind, static_cast<std::uint64_t>(policy.data_kind)});
  if (reason.numbers.size() > reason_numbers_max) reason.numbers.resize(reason_numbers_max);
  return report(std::move(reason), error, policy);
}

messages::Report report_of_training(const Error& error, const ReportPolicy& policy) {
  Reason reason{general_code(error.code), {}};
  switch (error.reason.code) {
    case ReasonCode::memory_short:
      for (const Quantity quantity : {Quantity::bytes_needed, Quantity::bytes_allowed})
        if (const auto bytes = error.reason.number(quantity))
          reason.numbers.push_back({quantity, visible_count(*bytes)});
      [[fallthrough]];
    case ReasonCode::layout_differs:
    case ReasonCode::model_not_approved:
    case ReasonCode::model_refused:
    case ReasonCode::training_failed:
    case ReasonCode::output_unfit:
    case ReasonCode::diverged:
    case ReasonCode::trainer_ended:
    case ReasonCode::stopped: reason.code = error.reason.code; break;
    default: break;  // the trainer has no other reasons; data that cannot be read is reported by DataReport
  }
  return report(std::move(reason), error, policy);
}

DataKind data_kind_of(std::string_view name) {
  using enum DataKind;
  constexpr auto kinds = std::to_array<std::pair<std::string_view, DataKind>>({{"idx", idx},
                                                                               {"csv", csv},
                                                                               {"windows", windows},
                                                                               {"tensors", tensors},
                                                                               {"text", text},
                                                                               {"images", images},
                                                                               {"audio", audio},
                                                                               {"tokens", tokens},
                                                                               {"npy", npy},
                                                                               {"hdf5", hdf5},
                                                                               {"cifar", cifar},
                                                                               {"sqlite", sqlite},
                                                                               {"jsonl", jsonl}});
  const auto found = std::ranges::find(kinds, name, &std::pair<std::string_view, DataKind>::first);
  return found == kinds.end() ? DataKind::other : found->second;
}

std::uint64_t visible_count(std::uint64_t count) {
  constexpr std::uint64_t most = std::uint64_t{1} << 63;
  return count == 0 ? 0 : count > most ? most : std::bit_ceil(count);
}

double visible_seconds(double seconds) {
  constexpr double least = 0x1p-4, most = 0x1p20;
  if (!(seconds > least)) return least;
  return std::exp2(std::ceil(std::log2(std::min(seconds, most))));
}

}  // namespace hansa::client
