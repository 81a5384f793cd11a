// How many bytes of a transfer may be in flight: about what the link carries in a second.
//
// The receiver decides: a client by what it pulls, the aggregator by what it grants. A slow link therefore holds no
// long queue in which a Ping would wait, a broken link loses little, and a fast link is never kept waiting. The window
// doubles when a whole window arrives in less than half a second. It is reduced to what the link carries in a second
// when bytes take two seconds or more. If a session ends before anything arrived, its window was too large for the
// link, and the next session starts with a quarter of it. No I/O or clock; one thread owns a window.
#pragma once
#include <cstdint>

#include "common/time.h"

namespace hansa::round {

class FlowWindow {
 public:
  static constexpr std::uint64_t bytes_initial = 256 * 1024;
  static constexpr std::uint64_t bytes_min = 8 * 1024;
  static constexpr std::uint64_t bytes_max = 16 << 20;

  // The maximum number of bytes in flight.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // A transfer begins.
  void begin(Instant now);
  // The transfer resumes in another session; the bytes in flight are lost.
  void resume(Instant now);
  // cap: the limit of the owner; a window that has reached it does not double.
  void arrived(std::uint64_t bytes, std::uint64_t cap, Instant now);

 private:
  std::uint64_t bytes_ = bytes_initial;
  Instant since_;  // start of the measurement of arrived_
  std::uint64_t arrived_ = 0;
  bool any_ = false;  // bytes have arrived since the transfer began or resumed
};

// The size of the chunks in which a range is sent: half of the range, at least 4 KiB and at most chunk_bytes (the
// session's maximum). Short ranges have smaller chunks, so that the receiver can still measure the transfer.
[[nodiscard]] std::uint64_t chunk_of_range(std::uint64_t range, std::uint64_t chunk_bytes);

}  // namespace hansa::round
