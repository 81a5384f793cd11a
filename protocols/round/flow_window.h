// How much of one transfer may be on its way: a second's worth, as the link turns out to be.
//
// Who receives decides: a client in what it pulls, the aggregator in what it grants. So a slow link holds no long
// queue in which a Ping would wait, and what a broken link loses is small; a fast one is never kept waiting.
// The window doubles when it arrives in less than half a second, and is cut to a second's worth when the link
// is slower than that. A session that ended before anything came was too slow for its window: a quarter is tried next.
// No I/O or clock; one thread owns a window.
#pragma once
#include <cstdint>

#include "common/time.h"

namespace hansa::round {

class FlowWindow {
 public:
  static constexpr std::uint64_t bytes_initial = 256 * 1024;
  static constexpr std::uint64_t bytes_min = 8 * 1024;
  static constexpr std::uint64_t bytes_max = 16 << 20;

  // Bytes that may be asked for and not have come.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // A transfer begins.
  void begin(Instant now);
  // It goes on in another session, and what was on its way is lost.
  void resume(Instant now);
  // cap: what the owner allows; the window does not grow beyond it.
  void arrived(std::uint64_t bytes, std::uint64_t cap, Instant now);

 private:
  std::uint64_t bytes_ = bytes_initial;
  Instant since_;  // of what is counted in arrived_
  std::uint64_t arrived_ = 0;
  bool any_ = false;  // came since the transfer began or went on
};

// A range that was asked for comes in chunks of this size: whole ones where it is long, and not too few to tell how
// the transfer goes. chunk_bytes: the session's largest.
[[nodiscard]] std::uint64_t chunk_of_range(std::uint64_t range, std::uint64_t chunk_bytes);

}  // namespace hansa::round
