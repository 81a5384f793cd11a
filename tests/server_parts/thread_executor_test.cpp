#include "server/engine/thread_executor.h"

#include <algorithm>
#include <new>
#include <semaphore>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

TEST(ThreadExecutor, RunsWorkInOrderAndDoneOnTheOwnersThread) {
  std::counting_semaphore<> woken(0);
  ThreadExecutor executor([&] { woken.release(); });
  const auto owner = std::this_thread::get_id();
  std::vector<int> worked, done;  // worked: by the executor's thread alone, until wait()
  for (int i = 0; i < 100; ++i)
    executor.run(
        [&worked, i, owner] {
          EXPECT_NE(std::this_thread::get_id(), owner);
          worked.push_back(i);
        },
        [&done, i, owner] {
          EXPECT_EQ(std::this_thread::get_id(), owner);
          done.push_back(i);
        });
  while (done.size() < 100) {
    woken.acquire();
    executor.deliver();
  }
  executor.wait();
  EXPECT_EQ(worked, done);
  EXPECT_TRUE(std::ranges::is_sorted(done));
}

TEST(ThreadExecutor, ReturnsAtOnceWhileWorkTakesItsTime) {
  std::binary_semaphore may_end(0), woken(0);
  bool done = false;
  ThreadExecutor executor([&] { woken.release(); });
  executor.run([&] { may_end.acquire(); }, [&] { done = true; });
  executor.deliver();
  EXPECT_FALSE(done);
  may_end.release();
  woken.acquire();
  executor.deliver();
  EXPECT_TRUE(done);
}

TEST(ThreadExecutor, WhatWorkThrowsIsThrownOnTheOwnersThread) {
  std::counting_semaphore<> woken(0);
  ThreadExecutor executor([&] { woken.release(); });
  bool done = false;
  executor.run([] { throw std::bad_alloc(); }, [&] { done = true; });
  woken.acquire();
  EXPECT_THROW(executor.deliver(), std::bad_alloc);
  EXPECT_FALSE(done);
  executor.run([] {}, [&] { done = true; });
  woken.acquire();
  executor.deliver();
  EXPECT_TRUE(done);
}

TEST(ThreadExecutor, WaitsForAllWorkAndDropsWhatWasNotDelivered) {
  int worked = 0, done = 0;
  {
    ThreadExecutor executor([] {});
    for (int i = 0; i < 10; ++i) executor.run([&] { ++worked; }, [&] { ++done; });
    executor.wait();
    EXPECT_EQ(worked, 10);
    executor.deliver();
    executor.run([&] { ++worked; }, [&] { ++done; });
  }
  EXPECT_EQ(worked, 11) << "the destructor waits as well";
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace hansa::server
