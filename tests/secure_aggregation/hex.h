// Conversion of bytes and hex digits, for test vectors.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/hex.h"

namespace hansa::secure_aggregation::testing {

using hansa::to_hex;

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return out;
}

}  // namespace hansa::secure_aggregation::testing
