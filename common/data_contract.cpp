#include "common/data_contract.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <limits>

#include "common/spelling.h"
#include "common/text.h"

namespace hansa {
namespace {

constexpr const char* location = "data contract";
constexpr std::size_t listed_bytes_max = 2'000;  // of the names in a hint

std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

std::string setting_of(std::string_view key, const std::vector<std::string>& values) {
  std::string out = "set data." + std::string(key) + " = [";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + quoted(values[i]);
  out += "] in client.toml";
  if (out.size() <= listed_bytes_max) return out;
  return "set data." + std::string(key) + " in client.toml to the list of [data_contract] in federation.toml";
}

std::string size_text(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (const std::int64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

Error difference(ReasonCode code, std::string what, std::string hint) {
  return {ErrorCode::data, location, std::move(what), std::move(hint), {code, {}}};
}

double as_float(double value) {
  constexpr double most = std::numeric_limits<float>::max();
  return double{static_cast<float>(std::clamp(value, -most, most))};
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool are_same_in_another_order(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

// What the operator of this device must do about columns that differ first at `at`.
std::string hint_for_columns(const std::vector<std::string>& wanted, const std::vector<std::string>& found,
                             std::size_t at) {
  if (are_same_in_another_order(wanted, found))
    return setting_of("columns", wanted) + ": the file has these columns in another order";
  const auto lacking =
      std::ranges::find_if(wanted, [&](const std::string& name) { return !has(found, name); });
  if (lacking == wanted.end())
    return setting_of("columns", wanted) + ": the data has other columns in addition";
  std::vector<std::string> free;  // columns of the data that the contract does not have
  std::ranges::copy_if(found, std::back_inserter(free),
                       [&](const std::string& name) { return !has(wanted, name); });
  if (const auto near = nearest_word(*lacking, free))
    return "the data has no column " + quoted(*lacking) + ": did you mean " + quoted(*near) +
           "? Rename it in the file if it is the same quantity in the same unit";
  if (at < found.size() && found.size() == wanted.size() && !has(wanted, found[at]))
    return "the data has no column " + quoted(*lacking) +
           ": rename the column in the file if it is the same quantity in the same unit";
  return "the data has no column " + quoted(*lacking) + ": add it, or name it in data.columns";
}

std::optional<Error> compare_columns(const DataContract& contract, const std::vector<std::string>& found) {
  const std::vector<std::string>& wanted = contract.columns;
  if (wanted.empty() || wanted == found) return std::nullopt;
  if (found.empty())
    return difference(
        ReasonCode::contract_columns,
        "names " + std::to_string(wanted.size()) +
            " columns, and the names of the columns of this client's data are not known",
        "use data whose columns have names, of kind \"csv\", \"windows\", \"sqlite\" or \"jsonl\"");
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(wanted, found).in1 - wanted.begin());
  std::string what = "column " + std::to_string(at + 1);
  if (at == wanted.size())
    what += " of this client's data is " + quoted(found[at]) + ", and the contract has only " +
            std::to_string(wanted.size()) + " columns";
  else
    what += " is " + quoted(wanted[at]) +
            (at < contract.units.size() ? " (" + printable(contract.units[at]) + ")" : "") +
            " in the contract" +
            (at < found.size()
                 ? ", but " + quoted(found[at]) + " in this client's data"
                 : ", but this client's data has only " + std::to_string(found.size()) + " columns");
  Error out = difference(ReasonCode::contract_columns, std::move(what), hint_for_columns(wanted, found, at));
  out.reason.numbers.push_back({Quantity::column, at + 1});
  return out;
}

std::optional<Error> compare_label(const std::string& wanted, const std::string& found) {
  if (wanted.empty() || wanted == found) return std::nullopt;
  if (found.empty())
    return difference(
        ReasonCode::contract_label,
        "the label is " + quoted(wanted) + ", but the label of this client's data has no name",
        "use data whose columns have names, of kind \"csv\", \"windows\", \"sqlite\" or \"jsonl\"");
  return difference(
      ReasonCode::contract_label,
      "the label is " + quoted(wanted) + " in the contract, but " + quoted(found) + " in this client's data",
      "set data.label = " + quoted(wanted) + " in client.toml");
}

std::optional<Error> compare_classes(const DataContract& contract, const DataDescription& data) {
  if (contract.target && *contract.target != data.target)
    return difference(ReasonCode::contract_target,
                      "the target is \"" + std::string(name(*contract.target)) +
                          "\" in the contract, but \"" + std::string(name(data.target)) +
                          "\" in this client's data",
                      "set data.target = \"" + std::string(name(*contract.target)) + "\" in client.toml");
  const auto& wanted = contract.classes;
  const auto& found = data.classes;
  if (wanted.empty() || wanted == found) return std::nullopt;
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(wanted, found).in1 - wanted.begin());
  const auto entry = [at](const std::vector<std::string>& list) {
    return at < list.size() ? quoted(list[at]) : std::string("none");
  };
  return difference(
      ReasonCode::contract_classes,
      found.empty()
          ? "names " + std::to_string(wanted.size()) + " classes, but this client has no data.classes"
          : "class " + std::to_string(at) + " is " + entry(wanted) + " in the contract, but " + entry(found) +
                " in this client's data.classes",
      setting_of("classes", wanted) +
          (are_same_in_another_order(wanted, found) ? ": it has these classes in another order" : ""));
}

// The inputs by name, in any order.
std::optional<Error> compare_inputs(const DataContract& contract, const DataDescription& data) {
  std::vector<std::string> found;
  for (const TensorDescription& input : data.inputs) found.push_back(text_of(input));
  if (contract.inputs.empty() || are_same_in_another_order(contract.inputs, found)) return std::nullopt;
  const auto other =
      std::ranges::find_if(contract.inputs, [&](const std::string& name) { return !has(found, name); });
  std::string all;
  for (const std::string& input : found) all += (all.empty() ? "" : "; ") + printable(input);
  return difference(ReasonCode::contract_shape,
                    (other == contract.inputs.end() ? std::to_string(contract.inputs.size()) + " inputs are"
                                                    : "the input " + quoted(*other) + " is") +
                        " in the contract, but this client's data has " + all,
                    "compare the files with those of the other clients");
}

std::optional<Error> compare_input(const DataContract& contract, const TensorDescription& input) {
  if (contract.dtype && *contract.dtype != input.type)
    return difference(ReasonCode::contract_shape,
                      "the inputs are " + std::string(name(*contract.dtype)) + " in the contract, but " +
                          std::string(name(input.type)) + " in this client's data",
                      "convert the data");
  if (contract.shape.empty() || contract.shape == input.shape) return std::nullopt;
  return difference(ReasonCode::contract_shape,
                    "an input has the shape " + size_text(contract.shape) + " in the contract, but " +
                        size_text(input.shape) + " in this client's data",
                    "compare data.columns, data.window and the files with those of the other clients");
}

}  // namespace

std::optional<Error> find_difference(const DataContract& contract, const DataDescription& data) {
  if (auto found = compare_columns(contract, data.columns)) return found;
  if (auto found = compare_label(contract.label, data.label)) return found;
  if (auto found = compare_classes(contract, data)) return found;
  if (auto found = compare_inputs(contract, data)) return found;
  return data.inputs.empty() ? std::nullopt : compare_input(contract, data.inputs.front());
}

std::vector<OutOfRange> find_out_of_range(const DataContract& contract, const DataDescription& data) {
  std::vector<OutOfRange> out;
  const std::size_t count = std::min(data.ranges.size(), data.columns.size());
  const auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return std::string(text);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const ValueRange& range = data.ranges[i];
    // As float32, which the values are: 15.1 in the contract allows the float32 nearest to it.
    const bool low = i < contract.minimum.size() && range.least < as_float(contract.minimum[i]);
    const bool high = i < contract.maximum.size() && range.most > as_float(contract.maximum[i]);
    if (!low && !high) continue;
    std::string text = "column " + quoted(data.columns[i]) + " has values from " + number(range.least) +
                       " to " + number(range.most) + ", but the data contract allows";
    if (i < contract.minimum.size()) text += " at least " + number(contract.minimum[i]);
    if (i < contract.minimum.size() && i < contract.maximum.size()) text += " and";
    if (i < contract.maximum.size()) text += " at most " + number(contract.maximum[i]);
    if (i < contract.units.size()) text += " " + printable(contract.units[i]);
    out.push_back({i, text + "; check the unit of the column"});
  }
  return out;
}

DataContract contract_of(const DataDescription& data) {
  DataContract out;
  out.columns = data.columns;
  out.label = data.label;
  out.target = data.target;
  out.classes = data.classes;
  if (data.inputs.size() == 1) {
    out.dtype = data.inputs.front().type;
    out.shape = data.inputs.front().shape;
  } else {
    for (const TensorDescription& input : data.inputs) out.inputs.push_back(text_of(input));
  }
  for (const ValueRange& range : data.ranges) {
    out.minimum.push_back(range.least);
    out.maximum.push_back(range.most);
  }
  return out;
}

}  // namespace hansa
