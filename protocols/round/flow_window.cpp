#include "protocols/round/flow_window.h"

#include <algorithm>

namespace hansa::round {
namespace {

constexpr Duration quick = std::chrono::milliseconds(500);
constexpr Duration slow = std::chrono::seconds(2);
constexpr std::uint64_t chunk_bytes_min = 4 * 1024;

}  // namespace

void FlowWindow::begin(Instant now) {
  since_ = now;
  arrived_ = 0;
  any_ = false;
}

void FlowWindow::resume(Instant now) {
  if (!any_) bytes_ = std::max(bytes_ / 4, bytes_min);
  begin(now);
}

void FlowWindow::arrived(std::uint64_t bytes, std::uint64_t cap, Instant now) {
  any_ = true;
  arrived_ += bytes;
  const Duration taken = now - since_;
  const bool whole = arrived_ >= std::min(bytes_, cap);
  if (taken >= slow) {
    const auto second = static_cast<std::uint64_t>(static_cast<double>(arrived_) / seconds(taken));
    bytes_ = std::clamp(second, bytes_min, bytes_);
  } else if (whole && taken < quick && bytes_ < cap) {
    bytes_ = std::min(2 * bytes_, bytes_max);
  } else if (!whole) {
    return;
  }
  since_ = now;
  arrived_ = 0;
}

std::uint64_t chunk_of_range(std::uint64_t range, std::uint64_t chunk_bytes) {
  return std::min(std::max((range + 1) / 2, chunk_bytes_min), chunk_bytes);
}

}  // namespace hansa::round
