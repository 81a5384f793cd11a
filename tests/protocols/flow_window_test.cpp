// The size of the window on links of different speeds.
#include "protocols/round/flow_window.h"

#include <algorithm>
#include <deque>

#include <gtest/gtest.h>

#include "common/random.h"

namespace hansa::round {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t cap = 2 << 20;

// Sends `bytes` over a link with this rate in bytes per second, with the window as the credit. The receiver asks for
// more as transfers do, half a window at a time. Returns the maximum in flight during the second half of the transfer.
std::uint64_t transfer(FlowWindow& window, std::uint64_t bytes, double rate, Duration delay, Instant& now) {
  struct Chunk {
    std::uint64_t bytes;
    Instant arrives;
  };
  std::deque<Chunk> on_the_way;
  std::uint64_t asked = 0;
  std::uint64_t received = 0;
  std::uint64_t most = 0;
  Instant link_free = now;
  window.begin(now);
  while (received < bytes) {
    const std::uint64_t credit = std::min(window.bytes(), cap);
    const std::uint64_t wanted = std::min(bytes, received + credit);
    if (wanted > asked && (asked == received || wanted == bytes || wanted - asked >= credit / 2)) {
      const std::uint64_t range = wanted - asked;
      const std::uint64_t chunk = chunk_of_range(range, 128 * 1024);
      for (std::uint64_t sent = 0; sent < range; sent += chunk) {
        const std::uint64_t size = std::min(chunk, range - sent);
        link_free = std::max(link_free, now + delay) + from_seconds(static_cast<double>(size) / rate);
        on_the_way.push_back({size, link_free});
      }
      asked = wanted;
    }
    if (received > bytes / 2) most = std::max(most, asked - received);
    const Chunk chunk = on_the_way.front();
    on_the_way.pop_front();
    now = std::max(now, chunk.arrives);
    received += chunk.bytes;
    window.arrived(chunk.bytes, cap, now);
  }
  return most;
}

TEST(FlowWindow, HoldsAboutASecondOfTrafficOnLinksOfAnySpeed) {
  for (const double rate : {5e3, 20e3, 100e3, 400e3, 1e6}) {
    SCOPED_TRACE(rate);
    FlowWindow window;
    Instant now{};
    const std::uint64_t most =
        transfer(window, static_cast<std::uint64_t>(60 * rate) + (4 << 20), rate, milliseconds(20), now);
    EXPECT_LE(static_cast<double>(most), std::max(2.5 * rate, static_cast<double>(FlowWindow::bytes_min)));
    EXPECT_GE(static_cast<double>(window.bytes()), 0.4 * rate);
  }
}

TEST(FlowWindow, GrowsToTheCapOnAFastLinkAndShrinksWhenTheLinkBecomesSlow) {
  FlowWindow window;
  Instant now{};
  const Instant began = now;
  (void)transfer(window, 40 << 20, 100e6, milliseconds(1), now);
  EXPECT_GE(window.bytes(), cap);
  EXPECT_LT(now - began, milliseconds(600)) << "40 MiB at 100 MB/s take 420 ms";
  (void)transfer(window, 8 << 20, 50e3, milliseconds(1), now);
  EXPECT_LE(window.bytes(), 150'000U);
}

TEST(FlowWindow, KeepsALinkWithALongDelayBusy) {
  FlowWindow window;
  Instant now{};
  const Instant began = now;
  (void)transfer(window, 16 << 20, 1e6, milliseconds(300), now);
  EXPECT_LT(now - began, seconds(26)) << "17 s of it is the link's rate";
}

TEST(FlowWindow, ASessionWithoutDataIsFollowedByASmallerWindow) {
  FlowWindow window;
  window.begin(Instant{});
  const std::uint64_t first = window.bytes();
  window.resume(Instant{});
  EXPECT_EQ(window.bytes(), first / 4);
  window.arrived(100, cap, Instant{});
  window.resume(Instant{});
  EXPECT_EQ(window.bytes(), first / 4) << "some data arrived";
  for (int i = 0; i < 10; ++i) window.resume(Instant{});
  EXPECT_EQ(window.bytes(), FlowWindow::bytes_min);
}

TEST(FlowWindow, StaysWithinItsBoundsForAnyInput) {
  Random random(7);
  FlowWindow window;
  Instant now{};
  for (int i = 0; i < 100'000; ++i) {
    now += from_seconds(random.uniform() * random.uniform() * 5);
    if (random.chance(0.05)) window.resume(now);
    else if (random.chance(0.05)) window.begin(now);
    else window.arrived(random.below(1 << 20), random.chance(0.5) ? cap : 400, now);
    ASSERT_GE(window.bytes(), FlowWindow::bytes_min);
    ASSERT_LE(window.bytes(), FlowWindow::bytes_max);
  }
}

TEST(ChunkOfRange, IsHalfOfTheRangeWithinTheSessionsMaximum) {
  EXPECT_EQ(chunk_of_range(256 * 1024, 128 * 1024), 128U * 1024);
  EXPECT_EQ(chunk_of_range(20'001, 128 * 1024), 10'001U);
  EXPECT_EQ(chunk_of_range(10, 128 * 1024), 4U * 1024) << "not divided further";
  EXPECT_EQ(chunk_of_range(1 << 20, 100), 100U);
}

}  // namespace
}  // namespace hansa::round
