// Limits the log lines of a peer that is refused again and again.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "common/error.h"
#include "common/time.h"

namespace hansa::transport {

// In each window, every refusal is allowed once, and every location (an address, a client) at most per_location_max
// different refusals. Memory is bounded: while the table is full, new refusals are not allowed.
class RefusalLimiter {
 public:
  static constexpr Duration window = std::chrono::seconds(10);
  static constexpr std::size_t per_location_max = 8;
  static constexpr std::size_t entries_max = 4096;

  [[nodiscard]] bool allows(const Error& refusal, Instant now);

 private:
  std::unordered_map<std::string, std::size_t> counts_;
  Instant window_start_{};
};

}  // namespace hansa::transport
