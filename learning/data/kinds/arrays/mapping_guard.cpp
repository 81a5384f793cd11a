#include "learning/data/kinds/arrays/mapping_guard.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

namespace hansa::learning::kinds {
namespace {

// What a signal handler may read.
struct Slot {
  std::atomic<bool> is_taken = false;
  std::atomic<std::uintptr_t> begin = 0;  // 0: nothing to guard
  std::atomic<std::uintptr_t> end = 0;
  std::atomic<bool> has_faulted = false;
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

std::array<Slot, MappingGuard::guards_max> slots;
std::uintptr_t page_bytes = 0;
struct sigaction action_before;

// Maps zeros from the page of the address on. Only calls that a signal handler may make: mmap is a system call.
bool repair(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    const std::uintptr_t end = slot.end.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= end) continue;
    const std::uintptr_t page = address / page_bytes * page_bytes;
    void* const from = reinterpret_cast<void*>(page);  // NOLINT(performance-no-int-to-ptr): from the kernel
    if (::mmap(from, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
      return false;
    slot.has_faulted.store(true, std::memory_order_release);
    return true;
  }
  return false;
}

void on_bus_error(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const bool is_fault = info->si_code > 0;  // and not sent by a process
  const bool repaired = is_fault && repair(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = error;
  if (repaired) return;
  // The faulting instruction is executed again, with the action that was there before.
  ::sigaction(SIGBUS, &action_before, nullptr);
  if (!is_fault) (void)::raise(signal);
}

void install() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &action_before);
  });
}

}  // namespace

MappingGuard::MappingGuard(std::span<const std::byte> mapping) {
  install();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    bool free = false;
    if (!slots[i].is_taken.compare_exchange_strong(free, true)) continue;
    slot_ = i;
    const auto begin = reinterpret_cast<std::uintptr_t>(mapping.data());
    slots[i].has_faulted.store(false);
    slots[i].end.store(begin + mapping.size(), std::memory_order_release);
    slots[i].begin.store(begin, std::memory_order_release);
    return;
  }
}

MappingGuard::~MappingGuard() {
  if (slot_ == guards_max) return;
  slots[slot_].begin.store(0, std::memory_order_release);
  slots[slot_].is_taken.store(false, std::memory_order_release);
}

bool MappingGuard::has_faulted() const {
  return slot_ != guards_max && slots[slot_].has_faulted.load(std::memory_order_acquire);
}

}  // namespace hansa::learning::kinds
