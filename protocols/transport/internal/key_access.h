// Who may read the file of a secret key. Pure.
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

namespace hansa::transport::internal {

// Whether only its owner, or the group that a secret of a container platform is mounted for, can read the file. Such a secret belongs to
// another user (root) and is readable by a group of the process (mode 0440), which its reader cannot change.
[[nodiscard]] constexpr bool is_private(mode_t mode, uid_t owner, uid_t reader) {
  const mode_t others = mode & (S_IRWXG | S_IRWXO);
  return others == 0 || (owner != reader && others == S_IRGRP);
}

}  // namespace hansa::transport::internal
