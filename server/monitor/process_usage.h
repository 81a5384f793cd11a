// What this process uses of its machine, from /proc. Thread-safe.
#pragma once
#include <cstdint>

namespace hansa::server {

struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
  std::uint64_t open_fds = 0, fds_max = 0;
  double start_time_seconds = 0;  // since 1970
};

// What cannot be read is 0.
[[nodiscard]] ProcessUsage process_usage();

}  // namespace hansa::server
