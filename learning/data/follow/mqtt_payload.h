// The rows in a message: CSV, a JSON object, or a list of JSON objects. Pure functions.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::learning::internal {

struct PayloadForm {
  std::span<const std::string> names;  // the fields of a row
  char delimiter = ',';  // of CSV
  const std::string& location;  // in errors
};

// Appends rows of fields in the order of the names. A byte order mark is skipped. JSON has no NaN, but the word is read as a
// missing value. Fails (data) on anything else.
[[nodiscard]] Result<void> split_payload(const std::string& payload, const PayloadForm& form,
                                         std::vector<std::vector<std::string>>& rows);

}  // namespace hansa::learning::internal
