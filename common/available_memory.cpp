#include "common/available_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>

namespace hansa {
namespace {

// The file's first word. Files below /sys and /proc have no size, so that they are read as streams.
std::optional<std::uint64_t> read_number(const char* file) {
  std::string word;
  std::ifstream stream(file);
  if (!(stream >> word)) return std::nullopt;
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> out;
  std::ifstream lines("/proc/meminfo");
  std::string word;
  while (lines >> word)
    if (word == "MemAvailable:") {
      std::uint64_t kib = 0;
      if (lines >> kib) out = kib << 10;
      break;
    }
  const auto most = read_number("/sys/fs/cgroup/memory.max");
  const auto used = read_number("/sys/fs/cgroup/memory.current");
  if (out && most && used) out = std::min(*out, *most - std::min(*most, *used));
  return out;
}

}  // namespace hansa
