// Shows what the plugin reads, without training:
//
//   hansa-dicom-inspect PLUGIN FILE OPTIONS [LABEL]
//
// A line for each example: its label, its smallest, mean and largest value, and the means of its four quarters (upper
// left, upper right, lower left, lower right). Exit code 1: the data cannot be opened.
//
// With the environment variable SEARCH_REVERSED=TEXT it also searches its own memory, after open(), for the reverse of
// TEXT, and prints "found" or "not found". This checks that nothing of the files' headers is left in the process.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "learning/data/plugin.h"

namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 20;

// The memory is read block by block into `buffer`, which is itself left out.
bool is_in_memory(const std::string& reversed, std::vector<char>& buffer) {
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (memory < 0) std::exit((std::perror("/proc/self/mem"), 2));
  bool found = false;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; !found && std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char access[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, access) != 3 || access[0] != 'r') continue;
    const auto own = reinterpret_cast<std::uintptr_t>(buffer.data());
    // Blocks overlap, so that a text on their border is found.
    for (std::uintptr_t at = begin; !found && at < end; at += block_bytes / 2) {
      if (at < own + buffer.size() && own < at + block_bytes) continue;
      const ssize_t bytes = ::pread(memory, buffer.data(), std::min<std::size_t>(block_bytes, end - at),
                                    static_cast<off_t>(at));
      if (bytes <= 0) continue;
      const auto stop = buffer.begin() + bytes;
      found = std::search(buffer.begin(), stop, reversed.rbegin(), reversed.rend()) != stop;
    }
  }
  ::close(memory);
  return found;
}

void print_example(std::uint32_t index, std::int64_t label, const std::vector<float>& x, std::size_t size) {
  double quarters[4] = {};
  double sum = 0;
  for (std::size_t row = 0; row < size; ++row)
    for (std::size_t column = 0; column < size; ++column) {
      quarters[(row >= size / 2 ? 2 : 0) + (column >= size / 2 ? 1 : 0)] += x[row * size + column];
      sum += x[row * size + column];
    }
  const double upper = static_cast<double>(size / 2);
  const double lower = static_cast<double>(size - size / 2);
  const double areas[4] = {upper * upper, upper * lower, lower * upper, lower * lower};
  const auto [least, most] = std::ranges::minmax(x);
  std::printf("%u label %lld min %.4f mean %.4f max %.4f quarters", index, static_cast<long long>(label),
              static_cast<double>(least), sum / static_cast<double>(x.size()), static_cast<double>(most));
  for (int i = 0; i < 4; ++i) std::printf(" %.4f", areas[i] > 0 ? quarters[i] / areas[i] : 0.0);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: hansa-dicom-inspect PLUGIN FILE OPTIONS [LABEL]\n");
    return 2;
  }
  void* library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return 2;
  }
  const auto entry =
      reinterpret_cast<hansa_data_plugin_entry_2_function>(::dlsym(library, HANSA_DATA_PLUGIN_ENTRY_2));
  if (entry == nullptr) {
    std::fprintf(stderr, "%s: has no function " HANSA_DATA_PLUGIN_ENTRY_2 "\n", argv[1]);
    return 2;
  }
  const hansa_data_plugin_2& plugin = *entry();
  const hansa_data_settings settings{argv[2], argv[3], argc == 5 ? argv[4] : "", 0, 1};
  hansa_data_examples examples{};
  char error[512] = "";
  void* self = plugin.open(&settings, &examples, error, sizeof(error));
  if (self == nullptr) {
    std::fprintf(stderr, "%s\n", error);
    return 1;
  }
  const auto size = static_cast<std::size_t>(examples.tensors[0].sizes[1]);
  std::vector<float> x(size * size);
  for (std::uint32_t i = 0; i < examples.examples; ++i) {
    std::int64_t y = -1;
    void* const tensors[] = {x.data(), &y};
    plugin.read(self, &i, 1, tensors);
    print_example(i, y, x, size);
  }
  if (const char* reversed = std::getenv("SEARCH_REVERSED")) {
    std::vector<char> buffer(block_bytes);
    std::printf("%s\n", is_in_memory(reversed, buffer) ? "found" : "not found");
  }
  plugin.close(self);
  return 0;
}
