#include "client/process/core_dumps.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <sys/prctl.h>
#include <sys/resource.h>

namespace hansa::client {

Result<void> forbid_core_dumps() {
  const char* allowed = std::getenv("HANSA_CORE_DUMPS");
  if (allowed != nullptr && std::string_view(allowed) == "1") return {};
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0)
    return fail(ErrorCode::resource, "core dumps",
                std::string("cannot be forbidden (") + std::strerror(errno) + ")");
  return {};
}

}  // namespace hansa::client
