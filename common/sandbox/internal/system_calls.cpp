#include "common/sandbox/internal/system_calls.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace hansa::sandbox::internal {
namespace {

// Computing, threads, time, and descriptors that are open. None of them reaches another process or names a file.
constexpr std::array allowed{"brk",
                             "mmap",
                             "munmap",
                             "mprotect",
                             "mremap",
                             "madvise",
                             "membarrier",
                             "futex",
                             "sched_yield",
                             "sched_getaffinity",
                             "sched_getparam",
                             "sched_getscheduler",
                             "getcpu",
                             "set_robust_list",
                             "get_robust_list",
                             "rseq",
                             "set_tid_address",
                             "gettid",
                             "getpid",
                             "exit",
                             "exit_group",
                             "rt_sigaction",
                             "rt_sigprocmask",
                             "rt_sigreturn",
                             "sigaltstack",
                             "restart_syscall",
                             "clock_gettime",
                             "clock_getres",
                             "clock_nanosleep",
                             "nanosleep",
                             "gettimeofday",
                             "time",
                             "times",
                             "getrusage",
                             "read",
                             "readv",
                             "pread64",
                             "preadv",
                             "write",
                             "writev",
                             "lseek",
                             "fstat",
                             "close",
                             "poll",
                             "ppoll",
                             "getrandom",
                             "uname",
                             "sysinfo",
                             "getrlimit",
                             "getuid",
                             "geteuid",
                             "getgid",
                             "getegid"};

// No library tries these while a model is trained: the process ends, and its parent learns why.
constexpr std::array deadly{"execve",
                            "execveat",
                            "fork",
                            "vfork",
                            "socket",
                            "socketpair",
                            "connect",
                            "bind",
                            "listen",
                            "accept",
                            "accept4",
                            "sendto",
                            "sendmsg",
                            "sendmmsg",
                            "ptrace",
                            "process_vm_readv",
                            "process_vm_writev",
                            "pidfd_getfd",
                            "io_uring_setup",
                            "bpf",
                            "userfaultfd"};

// A condition on argument `index` of a call.
scmp_arg_cmp equal(unsigned index, scmp_datum_t value) { return {index, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp has_bits(unsigned index, scmp_datum_t mask, scmp_datum_t bits) {
  return {index, SCMP_CMP_MASKED_EQ, mask, bits};
}

class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : context_(::seccomp_init(otherwise), &::seccomp_release) {}
  [[nodiscard]] int error() const { return context_ ? error_ : ENOMEM; }

  // A call that this processor does not have needs no rule.
  void add(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const int call = ::seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR || !context_ || error_ != 0) return;
    error_ = -::seccomp_rule_add_array(context_.get(), action, call, static_cast<unsigned>(arguments.size()),
                                       arguments.begin());
  }
  // Threads, but no processes. The arguments of clone3 cannot be seen here; without it glibc uses clone.
  void deny_processes() {
    add(SCMP_ACT_KILL_PROCESS, "clone", {has_bits(0, CLONE_THREAD, 0)});
    add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  }
  [[nodiscard]] Result<void> load() {
    if (error() == 0) error_ = -::seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    if (error() == 0) error_ = -::seccomp_load(context_.get());
    if (error() == 0) return {};
    return fail(ErrorCode::resource, "sandbox",
                std::string("the kernel refuses a seccomp filter (") + std::strerror(error()) + ")",
                "use a kernel with CONFIG_SECCOMP_FILTER, and a container that allows seccomp()");
  }

 private:
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
  int error_ = 0;
};

}  // namespace

Result<void> filter_system_calls(int channel) {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  for (const char* call : allowed) filter.add(SCMP_ACT_ALLOW, call);
  for (const char* call : deadly) filter.add(SCMP_ACT_KILL_PROCESS, call);

  filter.add(SCMP_ACT_ALLOW, "clone", {has_bits(0, CLONE_THREAD, CLONE_THREAD)});
  filter.deny_processes();

  const auto self = static_cast<scmp_datum_t>(::getpid());
  filter.add(SCMP_ACT_ALLOW, "tgkill", {equal(0, self)});  // abort() uses it
  filter.add(SCMP_ACT_ALLOW, "recvmsg", {equal(0, static_cast<scmp_datum_t>(channel))});
  filter.add(SCMP_ACT_ALLOW, "prlimit64", {equal(2, 0)});  // reads a limit
  constexpr scmp_datum_t set_vma = 0x53564d41;  // PR_SET_VMA names memory; jemalloc uses it
  for (const scmp_datum_t operation : {scmp_datum_t{PR_SET_NAME}, scmp_datum_t{PR_GET_NAME}, set_vma})
    filter.add(SCMP_ACT_ALLOW, "prctl", {equal(0, operation)});

  return filter.load();
}

Result<void> deny_other_programs() {
  Filter filter(SCMP_ACT_ALLOW);
  for (const char* call : {"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv",
                           "process_vm_writev", "pidfd_getfd", "io_uring_setup", "bpf", "userfaultfd"})
    filter.add(SCMP_ACT_KILL_PROCESS, call);
  for (const char* call : {"socket", "socketpair"}) filter.add(SCMP_ACT_ERRNO(EPERM), call);
  filter.deny_processes();
  return filter.load();
}

}  // namespace hansa::sandbox::internal
