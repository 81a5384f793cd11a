// Asks the person at the device for its data.
#pragma once
#include <iosfwd>
#include <string>

namespace hansa::client {

// Lines of [data] for a CSV file, whose path is made absolute; empty if the person names no file: other kinds of data are
// filled in by hand (docs/data.md).
[[nodiscard]] std::string ask_data(std::istream& from, std::ostream& to);

}  // namespace hansa::client
