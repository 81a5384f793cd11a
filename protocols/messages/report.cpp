#include "protocols/messages/report.h"

#include <optional>
#include <string_view>

#include "common/text.h"

namespace hansa::messages {
namespace {

struct Words {
  std::string_view what;
  std::string_view hint;
};

constexpr std::string_view see_log = "its own log has the details";

Words words_of_error(ReasonCode code) {
  switch (code) {
    case ReasonCode::usage: return {"its configuration is wrong", see_log};
    case ReasonCode::data: return {"its data cannot be used", see_log};
    case ReasonCode::model: return {"the model archive cannot be used", see_log};
    case ReasonCode::refused: return {"it refused the task", see_log};
    case ReasonCode::network: return {"its network failed", see_log};
    case ReasonCode::protocol: return {"the aggregator broke the protocol", see_log};
    case ReasonCode::storage: return {"it cannot read or write its state", "look at the device's disk"};
    case ReasonCode::resource: return {"it lacks memory, disk space or descriptors", see_log};
    case ReasonCode::quorum: return {"too few clients are left", ""};
    case ReasonCode::internal: return {"it found a bug in itself", see_log};
    default: return {};
  }
}

Words words_of_data(ReasonCode code) {
  switch (code) {
    case ReasonCode::data_unreadable:
      return {"a data file cannot be read", "check its path and permissions on the device"};
    case ReasonCode::data_damaged: return {"a data file is damaged or of another format", "copy it again"};
    case ReasonCode::column_missing:
      return {"the data has no column that data.columns names, or has it twice",
              "compare its header with data.columns"};
    case ReasonCode::label_missing:
      return {"the data has no column for the label, the group or the inputs",
              "compare its header with data.label, data.group and data.delimiter"};
    case ReasonCode::row_length:
      return {"a row has another number of fields than the header",
              "correct the row; quote a field that holds the delimiter"};
    case ReasonCode::value_missing:
      return {"a value is missing", "fill it in, or set data.missing to \"skip\", \"zero\" or \"mean\""};
    case ReasonCode::value_invalid:
      return {"a value is not a finite number", "correct it, or choose other data.columns"};
    case ReasonCode::class_unknown:
      return {"a label is not a known class", "add it to data.classes on all clients, or correct it"};
    case ReasonCode::example_invalid: return {"an example has an invalid value", "correct the file"};
    case ReasonCode::too_few_examples:
      return {"it has too few examples", "give this client more data, or lower data.window"};
    case ReasonCode::data_too_large: return {"its data is too large", "set data.examples_max, or split it"};
    case ReasonCode::shape_changed:
      return {"its examples have another shape than those in its state",
              "undo the change of [data], or give the client a new state folder"};
    case ReasonCode::columns_changed:
      return {"its data has other columns than the data in its state",
              "name the columns in data.columns there, or give the client a new state folder"};
    case ReasonCode::contract_columns:
      return {"its columns are not those of the data contract",
              "its own log names the column; set data.columns there, or correct [data_contract]"};
    case ReasonCode::contract_label:
      return {"its label is not that of the data contract", "compare its data.label with [data_contract]"};
    case ReasonCode::contract_target:
      return {"its target is of another kind than that of the data contract",
              "compare its data.target with [data_contract]"};
    case ReasonCode::contract_classes:
      return {"its classes are not those of the data contract",
              "set data.classes there to the classes of [data_contract], in that order"};
    case ReasonCode::contract_shape:
      return {"its examples have another shape or type than the data contract says",
              "compare its data.columns, data.window and files with those of the other clients"};
    case ReasonCode::nothing_arrived: return {"no data has arrived yet", ""};
    case ReasonCode::source_unreachable:
      return {"the source of its data cannot be reached", "check data.broker and the device's network"};
    default: return {};
  }
}

Words words_of_notice(ReasonCode code) {
  switch (code) {
    case ReasonCode::record_skipped: return {"a record was skipped", ""};
    case ReasonCode::file_restarted: return {"a followed file was rewritten, and is read from its start", ""};
    case ReasonCode::rows_lost:
      return {"rows after this one were not read before the file was replaced",
              "rotate less often, or keep the old file in the same folder"};
    case ReasonCode::file_kept:
      return {"a consumed file cannot be removed", "check the folder's permissions"};
    case ReasonCode::messages_lost:
      return {"the broker may have dropped messages", "make its session persistent, and its queue longer"};
    case ReasonCode::state_set_aside:
      return {"its state was damaged and is set aside; it starts with an empty one",
              "look at the device's disk"};
    case ReasonCode::notices_omitted: return {"more notices were left out", see_log};
    default: return {};
  }
}

Words words_of_task(ReasonCode code) {
  switch (code) {
    case ReasonCode::method_unknown:
      return {"it does not know the task's method",
              "install a hansa-client that has it, or choose another method"};
    case ReasonCode::option_invalid: return {"an option of the method is unknown or invalid", see_log};
    case ReasonCode::vectors_differ:
      return {"the task's inputs or outputs are not those of its method",
              "install the same version on both sides"};
    case ReasonCode::task_too_large:
      return {"the task has a blob that is larger than it takes", "use a smaller model"};
    case ReasonCode::limit_too_low:
      return {"limits.magnitude_max is lower than it accepts", "raise limits.magnitude_max to at least 1"};
    case ReasonCode::layout_differs:
      return {"its model has another parameter layout than the task",
              "use the same archive and personal layers"};
    case ReasonCode::model_not_approved:
      return {"the model is not one that the device approved", "sign it: hansa model sign"};
    case ReasonCode::model_refused:
      return {"the model contains what no client loads", "run hansa model check on the archive"};
    case ReasonCode::memory_short:
      return {"training needs more memory than it allows",
              "raise resources.memory_mib_max there, or lower training.batch_size"};
    case ReasonCode::nothing_new: return {"it has nothing new to train on", ""};
    case ReasonCode::training_failed:
      return {"the model's code failed, or does not accept its data",
              "check that the model accepts examples of this shape: hansa model check; its own log has the "
              "message"};
    case ReasonCode::output_unfit:
      return {"what the model returns does not fit its targets",
              "compare the model's outputs with the number of classes: hansa model check"};
    case ReasonCode::diverged:
      return {
          "training diverged, or a value is beyond a limit of the task",
          "lower training.learning_rate, check the data for extreme values, or raise limits.magnitude_max"};
    case ReasonCode::trainer_ended: return {"its training process ended", see_log};
    case ReasonCode::stopped: return {"its training was stopped", ""};
    case ReasonCode::header_repeated: return {"a followed file has its header again: the line is passed", ""};
    case ReasonCode::header_missing:
      return {"a followed file begins without a header: its rows are read under that of the file before", ""};
    case ReasonCode::columns_ignored:
      return {"a followed file has further columns that the file before did not have: they are no inputs",
              ""};
    case ReasonCode::file_unchanged:
      return {
          "a followed file or table was modified and has no new rows: those that it has are not read again",
          "append rows there; its own log has the details"};
    default: return {};
  }
}

Words words_of_sum(ReasonCode code) {
  switch (code) {
    case ReasonCode::sum_required:
      return {
          "its updates are for sums only, and secure aggregation is off",
          "set secure_aggregation.enabled in federation.toml, or secure_aggregation.required = false there"};
    case ReasonCode::root_unknown:
      return {"secure aggregation is on, and it knows no root key",
              "set secure_aggregation.root in its client.toml"};
    case ReasonCode::policy_weaker:
      return {"the secure sum is weaker than it requires",
              "compare [secure_aggregation] of federation.toml and of its client.toml"};
    case ReasonCode::certificate_invalid:
      return {"a client in the secure sum is not certified by its root key, or did not sign its keys",
              "certify each device: hansa keys certify"};
    case ReasonCode::certificate_outdated:
      return {"a certificate in the secure sum has expired, or is of an epoch that has ended",
              "renew the certificates: hansa keys certify; and compare secure_aggregation.epoch with theirs"};
    case ReasonCode::shares_invalid:
      return {"the shares that a client sent to it cannot be decrypted",
              "if this repeats, remove that client"};
    case ReasonCode::sum_repeated: return {"it helped to open another sum of these updates already", ""};
    default: return {};
  }
}

Words words_of(ReasonCode code) {
  for (const auto& table : {words_of_error, words_of_data, words_of_notice, words_of_task, words_of_sum})
    if (const Words words = table(code); !words.what.empty()) return words;
  return {"its reason is not known here", see_log};
}

std::string_view name_of_kind(std::uint64_t kind) {
  constexpr std::string_view names[] = {
      "",           "idx data",    "csv data", "windows data", "tensors data", "text data",   "images data",
      "audio data", "tokens data", "npy data", "hdf5 data",    "cifar data",   "sqlite data", "jsonl data"};
  return kind < std::size(names) ? names[kind] : "";
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB"; }

void join(std::string& out, std::string_view separator, std::string_view part) {
  if (part.empty()) return;
  if (!out.empty()) out += separator;
  out += part;
}

// "csv data, line 118, column 3"
std::string place_of(const Reason& reason) {
  std::string out;
  const auto add = [&](Quantity quantity, std::string_view name) {
    if (const auto value = reason.number(quantity))
      join(out, ", ", std::string(name) + " " + std::to_string(*value));
  };
  if (const auto kind = reason.number(Quantity::data_kind)) join(out, ", ", name_of_kind(*kind));
  add(Quantity::line, "line");
  add(Quantity::column, "column");
  add(Quantity::example, "example");
  add(Quantity::member, "client at position");
  return out;
}

// " (5 fields instead of 7)"
std::string sizes_of(const Reason& reason) {
  std::string out;
  if (const auto fields = reason.number(Quantity::fields)) {
    out = std::to_string(*fields) + " fields";
    if (const auto expected = reason.number(Quantity::fields_expected))
      out += " instead of " + std::to_string(*expected);
  }
  if (const auto needed = reason.number(Quantity::bytes_needed))
    join(out, ", ", "up to " + mebibytes(*needed) + " needed");
  if (const auto allowed = reason.number(Quantity::bytes_allowed))
    join(out, ", ", mebibytes(*allowed) + " allowed");
  if (const auto count = reason.number(Quantity::count)) join(out, ", ", std::to_string(*count));
  return out.empty() ? out : " (" + out + ")";
}

}  // namespace

std::string reason_text(const Report& report) {
  return report.empty() ? "it gave no reason" : sentence(report);
}

std::string sentence(const Report& report) {
  if (report.empty()) return {};
  const Reason& reason = report.reason;
  std::string out = place_of(reason);
  Words words = words_of(reason.code);
  join(out, ": ", words.what);
  if (const auto because = reason.number(Quantity::because);
      because && *because <= static_cast<std::uint64_t>(last_reason_code)) {
    const Words cause = words_of(static_cast<ReasonCode>(*because));
    join(out, ": ", cause.what);
    if (words.hint.empty()) words.hint = cause.hint;
  }
  out += sizes_of(reason);
  join(out, "; ", words.hint);
  if (!report.details.empty()) out += " [details: " + printable(report.details) + "]";
  return out;
}

}  // namespace hansa::messages
