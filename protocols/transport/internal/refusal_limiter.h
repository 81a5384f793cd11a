// Keeps a peer that knocks for ever from filling the log.
#pragma once
#include <cstddef>
#include <string>
#include <unordered_map>

#include "common/error.h"
#include "common/time.h"

namespace hansa::transport {

// In each window one refusal goes through once, and a place (an address, a client) has at most
// per_location_max different ones. Bounded memory: when the table is full, new ones wait for the next window.
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
