#include "common/sandbox/lock.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/sandbox/internal/landlock.h"
#include "common/sandbox/internal/system_calls.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HANSA_SANITIZED 1
#endif

namespace hansa::sandbox {
namespace {

tl::unexpected<Error> fail_lock(const char* what) {
  return fail(ErrorCode::resource, "sandbox", std::string(what) + " (" + std::strerror(errno) + ")");
}

Result<std::uint64_t> address_space_bytes() {
  const Descriptor file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  unsigned long long pages = 0;
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0 || std::sscanf(text, "%llu", &pages) != 1)
    return fail_lock("the memory of this process cannot be read from /proc/self/statm");
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t machine_bytes() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The kernel's first choice when memory runs out, rather than the program that started this process.
void die_first() {
  const Descriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), "1000", 4);
}

}  // namespace

Result<void> limit_process(const LockConfig& config) {
  die_first();
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail_lock("core dumps cannot be forbidden");
#ifndef HANSA_SANITIZED  // sanitizers reserve terabytes
  HANSA_TRY(const std::uint64_t now, address_space_bytes());
  const std::uint64_t more = config.memory_bytes_max == 0 ? machine_bytes() : config.memory_bytes_max;
  const rlimit space{now + more, now + more};
  if (::setrlimit(RLIMIT_AS, &space) != 0) return fail_lock("the address space cannot be limited");
#else
  (void)config;
  (void)&address_space_bytes;
  (void)&machine_bytes;
#endif
  return {};
}

Result<Landlock> lock_process(const LockConfig& config) {
#ifndef HANSA_SANITIZED  // their reports go to standard error
  const Descriptor nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nothing || ::dup2(nothing.get(), STDOUT_FILENO) < 0 || ::dup2(nothing.get(), STDERR_FILENO) < 0)
    return fail_lock("/dev/null cannot be opened");
#endif
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_lock("no_new_privs cannot be set");
  // Other processes of the user, among them one that escaped from another sandbox, cannot look into this one.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_lock("the memory cannot be made private");
  const Landlock landlock = internal::deny_everything();
  HANSA_TRY_VOID(internal::filter_system_calls(config.channel));
  return landlock;
}

}  // namespace hansa::sandbox
