#include "server/aggregation/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

TEST(WorkerPool, SlicesCoverTheRangeOnce) {
  for (const unsigned threads : {1U, 2U, 3U, 7U}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t count :
         {0UL, 1UL, 63UL, 131'071UL, 131'072UL, 131'073UL, 200'003UL, 1'000'000UL}) {
      std::vector<std::uint8_t> touched(count, 0);
      pool.for_slices(count, [&](std::size_t first, std::size_t last) {
        ASSERT_LT(first, last);
        ASSERT_LE(last, count);
        for (std::size_t i = first; i < last; ++i) ++touched[i];
      });
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(touched[i], 1) << i << " of " << count << ", " << threads;
    }
  }
}

TEST(WorkerPool, LargeRangesReachEveryThreadAndSmallOnesOnlyTheCaller) {
  WorkerPool pool(4);
  std::mutex mutex;
  std::vector<std::thread::id> ids;
  const auto note = [&](std::size_t, std::size_t) {
    const std::lock_guard lock(mutex);
    ids.push_back(std::this_thread::get_id());
  };
  pool.for_slices(1'000'000, note);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()) - ids.begin(), 4);
  ids.clear();
  pool.for_slices(100, note);
  EXPECT_EQ(ids, std::vector{std::this_thread::get_id()});
}

TEST(WorkerPool, ManyCallsInARowEachFinishBeforeTheyReturn) {
  WorkerPool pool(3);
  for (int i = 0; i < 2000; ++i) {
    std::atomic<std::size_t> done = 0;
    pool.for_slices(140'000, [&](std::size_t first, std::size_t last) { done += last - first; });
    ASSERT_EQ(done.load(), 140'000U);
  }
}

TEST(WorkerPool, ZeroMeansAsManyThreadsAsCores) {
  const WorkerPool pool(0);
  EXPECT_EQ(pool.threads(), std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace hansa::server
