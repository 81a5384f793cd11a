// How reliable each client is: one that lets rounds wait or fail is left out of cohorts, for a time that grows with each
// fault, and comes back by itself.
//
// The first fault costs the client as much time as it cost the round (at least rest_min), each further one four times
// as much as the one before. So faults of one client take at most half of the time at first, and ever less later. A
// fault is forgotten after rounds_to_forget counted rounds. records() and restore() carry the faults over a restart of the
// aggregator, if something keeps them. Pure: no clock. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"

namespace hansa::server {

struct ReliabilityConfig {
  Duration rest_min = std::chrono::seconds(1);
  Duration rest_max = std::chrono::hours(24);
  std::int64_t growth = 4;
  std::uint32_t rounds_to_forget = 10;
};

// What is remembered of a client with faults.
struct FaultRecord {
  std::string client;
  std::uint32_t faults = 0;
  std::uint32_t counted_in_a_row =
      0;  // rounds since the last fault, or since the last one that was forgotten
  Duration rest_left = Duration::zero();  // how much longer it is left out
};

class Reliability {
 public:
  explicit Reliability(const ReliabilityConfig& config = {}) : config_(config) {}

  // The client let a round wait for `cost`, or made one fail that had taken `cost`. Returns how long it is left out.
  Duration on_fault(std::string_view client, Duration cost, Instant now);
  // An update of the client is in a committed round.
  void on_counted(std::string_view client);

  // While it is left out.
  [[nodiscard]] bool rests(std::string_view client, Instant now) const;
  [[nodiscard]] Duration rest_left(std::string_view client, Instant now) const;
  [[nodiscard]] std::uint32_t faults(std::string_view client) const;
  // All clients with faults, sorted by name.
  [[nodiscard]] std::vector<FaultRecord> records(Instant now) const;
  // Takes over the faults of an earlier process. A rest is at most rest_max; records without faults are ignored.
  void restore(std::span<const FaultRecord> records, Instant now);
  // The operator wants the client to begin without faults. False: it has none.
  bool forgive(std::string_view client);
  // The clients whose rest has ended since the last call.
  [[nodiscard]] std::vector<std::string> take_returned(Instant now);

 private:
  struct Score {
    std::uint32_t faults = 0;
    std::uint32_t counted_in_a_row = 0;
    Instant rests_until{};
    bool rest_is_known = false;  // on_fault began a rest that take_returned has not ended
  };
  ReliabilityConfig config_;
  std::map<std::string, Score, std::less<>> scores_;  // of clients with faults
};

}  // namespace hansa::server
