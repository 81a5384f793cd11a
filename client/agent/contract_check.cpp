#include "client/agent/contract_check.h"

namespace hansa::client {

void ContractCheck::welcomed(const std::optional<DataContract>& contract) {
  if (contract == contract_) return;
  contract_ = contract;
  warned_.clear();
}

void ContractCheck::described(const std::optional<DataDescription>& data) { data_ = data; }

std::optional<Error> ContractCheck::compare() const {
  if (data_) return find_difference(*contract_, *data_);
  return Error{ErrorCode::data,
               "data contract",
               "cannot be compared: this client's trainer does not describe its data",
               "the trainer must fill AvailableData::description",
               {ReasonCode::contract_columns, {}}};
}

messages::DataReport ContractCheck::judge(const messages::DataReport& known, std::vector<Effect>& effects) {
  difference_.reset();
  // Without examples there is nothing to compare, and a reason already.
  if (contract_ && known.examples > 0) difference_ = compare();
  if (difference_) {
    if (const std::string text = difference_->text(); text != logged_) {
      effects.emplace_back(Log{Log::Level::error, text, LogEvent::data_unusable});
      logged_ = text;
    }
    return {0, 0, report_of(*difference_, reports_), {}};
  }
  if (known.examples == 0) return known;
  if (contract_ && !logged_.empty())
    effects.emplace_back(Log{Log::Level::info, "the data fits the data contract now", LogEvent::data_usable});
  logged_.clear();
  if (contract_ && data_)
    for (const OutOfRange& found : find_out_of_range(*contract_, *data_))
      if (warned_.insert(found.column).second)
        effects.emplace_back(Log{Log::Level::warning, found.text, LogEvent::data_noticed});
  messages::DataReport out = known;
  if (data_) out.schema = schema_digest(*data_);
  return out;
}

}  // namespace hansa::client
