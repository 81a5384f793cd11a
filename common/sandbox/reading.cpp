#include "common/sandbox/reading.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/prctl.h>

#include "common/sandbox/internal/landlock.h"
#include "common/sandbox/internal/system_calls.h"

namespace hansa::sandbox {

Result<Landlock> restrict_to_reading(const ReadingConfig& config) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(ErrorCode::resource, "sandbox",
                std::string("no_new_privs cannot be set (") + std::strerror(errno) + ")");
  HANSA_TRY(const Landlock landlock, internal::allow_reading(config));
  HANSA_TRY_VOID(internal::deny_other_programs());
  return landlock;
}

}  // namespace hansa::sandbox
