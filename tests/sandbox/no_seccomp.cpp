#include "tests/sandbox/no_seccomp.h"

#include <cstdint>
#include <cstdlib>

#include <seccomp.h>

namespace hansa::testing {

void refuse(std::initializer_list<const char*> calls, int error) {
  const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  for (const char* call : calls)
    if (::seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)),
                           ::seccomp_syscall_resolve_name(call), 0) != 0)
      std::abort();
  if (::seccomp_load(filter) != 0) std::abort();
}

}  // namespace hansa::testing
