// Why an operation failed, as a code and numbers: the part of an error that may leave a device.
//
// The text of an error may quote a cell of a data file or what the code of a model raised, so it stays in the device's
// log. A reason is one of a fixed list, and its numbers are positions and sizes, never values of the data. Both are on
// the wire, so that their numbers are never reused: docs/protocol.md, "Reports".
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace hansa {

enum class ReasonCode : std::uint8_t {
  none,
  // Nothing more specific is known: one for each ErrorCode, in the same order.
  usage,
  data,
  model,
  refused,
  network,
  protocol,
  storage,
  resource,
  quorum,
  internal,
  // The data of the device.
  data_unreadable,  // a file or a folder cannot be opened or read
  data_damaged,  // a file is not of its format
  column_missing,  // column: of data.columns
  label_missing,  // no column is the label, or the group
  row_length,  // line, fields, fields_expected
  value_missing,  // line, column
  value_invalid,  // line, column: not a number, or not a finite one
  class_unknown,  // line, column: not in data.classes, or not a whole number from 0
  example_invalid,  // example
  too_few_examples,
  data_too_large,
  shape_changed,  // examples have another shape than those in the device's state
  nothing_arrived,
  source_unreachable,  // the broker
  // What an operator should know, and what stops nothing.
  record_skipped,  // because, line, column
  file_restarted,  // a followed file was rewritten, and is read from its start
  rows_lost,  // line: the rows after it were not read before the file was rotated or removed
  file_kept,  // a consumed file cannot be removed
  messages_lost,  // a broker may have dropped messages
  state_set_aside,  // the device's state was damaged: it starts with an empty one
  notices_omitted,  // count: more of them are in the device's log
  // The task.
  method_unknown,
  option_invalid,
  vectors_differ,  // the inputs or outputs are not those of the method
  task_too_large,  // bytes_allowed
  limit_too_low,  // magnitude_max is below what the client accepts
  layout_differs,
  model_not_approved,
  memory_short,  // bytes_needed, bytes_allowed
  nothing_new,
  // Secure aggregation.
  sum_required,  // the aggregator would see the update
  root_unknown,  // the device knows no root key
  policy_weaker,  // than the device's own policy
  certificate_invalid,  // a client of the roster is not certified by the root key, or did not sign its keys
  shares_invalid,  // member: its shares cannot be decrypted
  sum_repeated,  // the device helped to open another sum of the same updates
  // The training.
  training_failed,  // the model's code failed on the device's data
  output_unfit,  // what the model returns does not fit the targets
  diverged,  // the loss or a value is not finite, or beyond a limit of the task
  trainer_ended,  // the process that trains ended
  stopped,
  // More notices.
  file_unchanged,  // a followed file was modified and has the rows that it had
  // Of the secure sum: a certificate in the roster has expired, or is of an epoch that the operator has ended.
  certificate_outdated,
  model_refused,  // the archive contains what no client loads, whoever has signed it
  // The data of the device differs from the federation's contract (data_contract.h).
  contract_columns,  // column: the first whose name differs
  contract_label,
  contract_target,
  contract_classes,
  contract_shape,
  columns_changed,  // column: the data has other names than the examples in the device's state
  // Notices of a followed file.
  header_repeated,  // line: its header again
  header_missing,  // it begins without one, and its rows are read as those of the file before
  columns_ignored,  // count: it has further columns that the file before did not have
};
inline constexpr ReasonCode last_reason_code = ReasonCode::columns_ignored;

enum class Quantity : std::uint8_t {
  line,  // from 1
  column,  // from 1
  fields,
  fields_expected,
  example,  // from 0
  bytes_needed,
  bytes_allowed,
  member,  // position in the roster of a secure sum, from 0
  because,  // another ReasonCode
  count,
  data_kind,  // DataKind
};
inline constexpr Quantity last_quantity = Quantity::data_kind;

// [data] kind.
enum class DataKind : std::uint8_t {
  other,
  idx,
  csv,
  windows,
  tensors,
  text,
  images,
  audio,
  tokens,
  npy,
  hdf5,
  cifar,
  sqlite,
  jsonl
};

struct ReasonNumber {
  Quantity quantity = Quantity::line;
  std::uint64_t value = 0;
  friend bool operator==(const ReasonNumber&, const ReasonNumber&) = default;
};
inline constexpr std::size_t reason_numbers_max = 8;

struct Reason {
  ReasonCode code = ReasonCode::none;
  std::vector<ReasonNumber> numbers = {};  // at most reason_numbers_max

  [[nodiscard]] bool is_known() const { return code != ReasonCode::none; }
  // Empty if it is not given.
  [[nodiscard]] std::optional<std::uint64_t> number(Quantity quantity) const {
    for (const ReasonNumber& number : numbers)
      if (number.quantity == quantity) return number.value;
    return std::nullopt;
  }
  friend bool operator==(const Reason&, const Reason&) = default;
};

}  // namespace hansa
