// Which windows of which files the examples are. Pure.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace hansa::learning::kinds {

class SoundWindows {
 public:
  SoundWindows(std::uint64_t window, std::uint64_t stride) : window_(window), stride_(stride) {}

  // The next file. It has a window at each multiple of the stride where one fits, or one window if it is shorter.
  void add_file(std::uint64_t samples) {
    const std::uint64_t count = samples <= window_ ? 1 : (samples - window_) / stride_ + 1;
    ends_.push_back(size() + count);
  }
  [[nodiscard]] std::uint64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
  [[nodiscard]] std::uint64_t memory_bytes() const { return ends_.size() * sizeof ends_[0]; }

  struct Window {
    std::size_t file = 0;
    std::uint64_t first = 0;  // sample
  };
  [[nodiscard]] Window operator[](std::uint64_t index) const {
    const auto file = static_cast<std::size_t>(std::ranges::upper_bound(ends_, index) - ends_.begin());
    return {file, (index - (file == 0 ? 0 : ends_[file - 1])) * stride_};
  }

 private:
  std::uint64_t window_;
  std::uint64_t stride_;
  std::vector<std::uint64_t> ends_;  // by file: the windows of all files up to it
};

}  // namespace hansa::learning::kinds
