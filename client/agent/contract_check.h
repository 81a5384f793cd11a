// Compares the device's data with the data contract of the federation, and decides what of it is reported. Pure.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/agent/effects.h"
#include "client/agent/reporting.h"
#include "common/data_contract.h"
#include "protocols/messages/messages.h"

namespace hansa::client {

class ContractCheck {
 public:
  explicit ContractCheck(const ReportPolicy& reports) : reports_(reports) {}

  // The contract of a session, which may differ from that of the last one. Empty: none.
  void welcomed(const std::optional<DataContract>& contract);
  // The data of the device; empty: not known.
  void described(const std::optional<DataDescription>& data);

  // What is reported of this data: the data itself, or no examples and the difference. The log of the device gets the
  // difference, and a warning for each column with values outside of the contract's ranges; each once. Such a warning
  // is not reported, because an aggregator that varies the ranges could then search for a value.
  [[nodiscard]] messages::DataReport judge(const messages::DataReport& known, std::vector<Effect>& effects);
  // Of the last judge(); empty: the data fits, or there is no contract.
  [[nodiscard]] const std::optional<Error>& difference() const { return difference_; }

 private:
  [[nodiscard]] std::optional<Error> compare() const;

  ReportPolicy reports_;
  std::optional<DataContract> contract_;
  std::optional<DataDescription> data_;
  std::optional<Error> difference_;
  std::string logged_;  // the difference that was logged last
  std::set<std::size_t> warned_;  // columns, under this contract
};

}  // namespace hansa::client
