// What a federation requires of every client's data: [data_contract] in federation.toml.
//
// The aggregator sends it in Welcome. The client compares it with the description of its own data before it reports the
// data, so that a site whose columns are in another order does not train. The comparison is the client's own: the
// aggregator does not learn the description.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_description.h"
#include "common/error.h"

namespace hansa {

inline constexpr std::size_t contract_columns_max = 1024;
inline constexpr std::size_t contract_classes_max = 1024;
inline constexpr std::size_t contract_rank_max = 8;
inline constexpr std::size_t contract_inputs_max = 16;
inline constexpr std::size_t contract_text_bytes_max = 256;  // of a name or a unit
inline constexpr std::int64_t contract_size_max = std::int64_t{1} << 40;  // of a dimension
inline constexpr std::size_t contract_bytes_max = 48 * 1024;  // encoded: it must fit in a message

// What is empty is not compared.
struct DataContract {
  std::vector<std::string> columns = {};
  std::vector<std::string> units = {};  // for people: one for each column; not compared
  std::string label = {};
  std::optional<TargetType> target = {};
  std::vector<std::string> classes = {};  // the first is class 0
  std::optional<ElementType> dtype = {};  // of the input; of several the first one
  std::vector<std::int64_t> shape = {};  // likewise
  std::vector<std::string> inputs = {};  // of examples with several: "image: uint8 [3, 32, 32]", in any order
  // Finite, one for each column. Values outside are a warning in the log of the device.
  std::vector<double> minimum = {};
  std::vector<double> maximum = {};
  friend bool operator==(const DataContract&, const DataContract&) = default;
};

// Fails (usage) if the contract is empty, inconsistent or too large. The location of the error is the key:
// "data_contract.units".
[[nodiscard]] Result<void> check(const DataContract& contract);

// The first difference, for the log of the device: it names the column, what the contract says and what the data has.
// Its reason, which is reported, has the position of the column (from 1) and no name. Empty: the data fits.
[[nodiscard]] std::optional<Error> find_difference(const DataContract& contract, const DataDescription& data);

// A column with values outside of the contract's range.
struct OutOfRange {
  std::size_t column = 0;  // from 0
  std::string text;  // for the log of the device
};
// Empty also if the ranges of the data are not known. The data must fit the contract.
[[nodiscard]] std::vector<OutOfRange> find_out_of_range(const DataContract& contract,
                                                        const DataDescription& data);

// The contract that this data fits, with its ranges; without units.
[[nodiscard]] DataContract contract_of(const DataDescription& data);

// The table [data_contract] as TOML.
[[nodiscard]] std::string toml_of(const DataContract& contract);
// What all clients of a run must have in common: the contract without the ranges, which only warn. Two contracts with
// the same text belong to the same run.
[[nodiscard]] std::string identity_of(const DataContract& contract);

}  // namespace hansa
