// A few threads, each of which processes a slice of an index range.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hansa::server {

// One thread at a time calls for_slices. Small ranges run on the calling thread.
class WorkerPool {
 public:
  explicit WorkerPool(unsigned threads);  // 0: one for each core
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] unsigned threads() const { return static_cast<unsigned>(threads_.size()) + 1; }
  // Calls work(first, last) for disjoint slices that cover [0, count). Equal counts have equal slices. Returns when all
  // slices are done. `work` must not throw, and must not call for_slices() of this pool.
  void for_slices(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work);

 private:
  void serve(unsigned index);
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t, std::size_t)>* work_ = nullptr;
  std::size_t count_ = 0;
  std::uint64_t generation_ = 0;
  unsigned pending_ = 0;
  bool stopping_ = false;
};

}  // namespace hansa::server
