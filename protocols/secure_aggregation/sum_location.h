// The location of the errors with which a secure sum is refused as a whole, so that the reasons of abandoned attempts can be
// told apart by it.
#pragma once

namespace hansa::secure_aggregation {

inline constexpr const char* sum_location = "secure sum";

}  // namespace hansa::secure_aggregation
