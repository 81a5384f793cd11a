// Which columns of a kind with named columns (sqlite, jsonl) are the inputs and which is the label.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/data_config.h"

namespace hansa::learning::kinds {

struct ColumnChoice {
  std::vector<std::size_t> inputs;  // positions in the names, in the order in which the model takes them
  std::size_t label = 0;
};

// names: of the columns of the data, in its order. Without data.columns all but the label are inputs. Fails (data) at
// `location` if a column is not there, with the nearest name as the hint, or is there twice.
[[nodiscard]] Result<ColumnChoice> choose_columns(const DataConfig& config,
                                                  std::span<const std::string> names,
                                                  const std::string& location);

}  // namespace hansa::learning::kinds
