#include "tests/protocols/allocation_watch.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t largest = 0;  // operator new has no object to store it in
}

namespace hansa::testing {
void restart_allocation_watch() { largest = 0; }
std::size_t largest_allocation() { return largest; }
}  // namespace hansa::testing

void* operator new(std::size_t size) {
  largest = std::max(largest, size);
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
