#include "client/check/data_checks.h"

#include <fmt/format.h>

namespace hansa::client {
namespace {

std::string description_text(const learning::AvailableData& data) {
  std::string out = fmt::format("{} examples", data.examples);
  if (!data.description) return out;
  std::string inputs;
  for (const TensorDescription& input : data.description->inputs)
    inputs += (inputs.empty() ? ": " : ", ") + text_of(input);
  out += inputs;
  if (data.description->target == TargetType::classes)
    out += fmt::format(", {} classes", data.description->class_count);
  return out;
}

}  // namespace

Finding data_finding(const Result<learning::AvailableData>& data) {
  if (!data) return failed(Check::data, data.error());
  if (data->examples > 0) return passed(Check::data, description_text(*data));
  if (data->problem) return failed(Check::data, *data->problem);
  return failed(Check::data, ErrorCode::data, "there are no examples",
                "check [data] in client.toml; data that arrives is there once the first of it has arrived");
}

Finding contract_finding(const Result<learning::AvailableData>& data, const KnownContract& known) {
  if (!known.asked) return not_tried(Check::contract, "not tried, because the aggregator was not asked");
  if (!known.contract) return passed(Check::contract, "the federation has no data contract");
  if (!data || data->examples == 0)
    return not_tried(Check::contract, "not tried, because there are no examples");
  if (!data->description)
    return failed(Check::contract, ErrorCode::data, "the data does not describe itself",
                  "use another kind of data: the federation has a data contract");
  if (const auto difference = find_difference(*known.contract, *data->description))
    return failed(Check::contract, *difference);
  const auto outside = find_out_of_range(*known.contract, *data->description);
  if (outside.empty()) return passed(Check::contract, "the data fits the federation's data contract");
  return passed(Check::contract, "the data fits the federation's data contract; " + outside.front().text);
}

}  // namespace hansa::client
