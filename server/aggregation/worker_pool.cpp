#include "server/aggregation/worker_pool.h"

#include <algorithm>

namespace hansa::server {
namespace {

// Below this, waking a thread costs more than the work it takes over.
constexpr std::size_t elements_worth_waking = 1 << 17;
// A slice starts on a multiple of this, so that no two threads write to one cache line.
constexpr std::size_t slice_multiple = 64;

struct Slice {
  std::size_t first, last;
};
Slice slice_of(std::size_t count, std::size_t slices, std::size_t index) {
  const std::size_t even = (count + slices - 1) / slices;
  const std::size_t size = (even + slice_multiple - 1) / slice_multiple * slice_multiple;
  return {std::min(count, index * size), std::min(count, (index + 1) * size)};
}

}  // namespace

WorkerPool::WorkerPool(unsigned threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  threads_.reserve(threads - 1);
  for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this, i] { serve(i); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::for_slices(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work) {
  if (count == 0) return;
  if (threads_.empty() || count < elements_worth_waking) {
    work(0, count);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    count_ = count;
    pending_ = static_cast<unsigned>(threads_.size());
    ++generation_;
  }
  wake_.notify_all();
  const Slice own = slice_of(count, threads(), 0);
  work(own.first, own.last);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return pending_ == 0; });
  work_ = nullptr;
}

void WorkerPool::serve(unsigned index) {
  std::uint64_t served = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || generation_ != served; });
    if (stopping_) return;
    served = generation_;
    const auto* const work = work_;
    const Slice slice = slice_of(count_, threads(), index);
    lock.unlock();
    if (slice.first < slice.last) (*work)(slice.first, slice.last);
    lock.lock();
    if (--pending_ == 0) done_.notify_one();
  }
}

}  // namespace hansa::server
