// How many bytes of a transfer may be in flight: about what the link carries in a second.
//
// The receiver decides: a client by what it pulls, the aggregator by what it grants. A slow link therefore holds no
// long queue in which a Ping would wait, a broken link loses little, and a fast link is never kept waiting. The
// window doubles when it arrives in less than half a second, and is cut to a second's worth when it takes longer than
// two. A session that ended before anything arrived was too slow for its window: the next one tries a quarter. No I/O
// or clock; one thread owns a window.
#pragma once
#include <cstdint>

#include "common/time.h"

namespace hansa::round {

class FlowWindow {
 public:
  static constexpr std::uint64_t bytes_initial = 256 * 1024;
  static constexpr std::uint64_t bytes_min = 8 * 1024;
  static constexpr std::uint64_t bytes_max = 16 << 20;

  // Bytes that may be asked for and not yet have arrived.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // A transfer begins.
  void begin(Instant now);
  // The transfer resumes in another session; the bytes in flight are lost.
  void resume(Instant now);
  // cap: what the owner allows; the window does not grow beyond it.
  void arrived(std::uint64_t bytes, std::uint64_t cap, Instant now);

 private:
  std::uint64_t bytes_ = bytes_initial;
  Instant since_;  // when the count of arrived_ began
  std::uint64_t arrived_ = 0;
  bool any_ = false;  // bytes have arrived since the transfer began or resumed
};

// The size of the chunks in which a range arrives: the session's largest for a long range, smaller ones for a short
// range, so that the receiver can still measure the transfer. chunk_bytes: the session's largest.
[[nodiscard]] std::uint64_t chunk_of_range(std::uint64_t range, std::uint64_t chunk_bytes);

}  // namespace hansa::round
