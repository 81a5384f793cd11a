// Waits while a child opens data: files on a slow disk take long, and a pipe or a network file system may never answer.
#pragma once
#include <functional>
#include <string>

#include "common/error.h"
#include "common/process/child.h"
#include "common/time.h"

namespace hansa::client::internal {

struct OpeningLimits {
  Duration stall;  // without any processor time that the child uses
  std::function<bool()> stop_requested;
};

// The child's next frame. Kills the child and fails (resource) if a stop is requested, or if the child does nothing for
// limits.stall. `location` is that of the data.
[[nodiscard]] Result<std::string> wait_while_opening(Child& child, const std::string& location,
                                                     const OpeningLimits& limits);

}  // namespace hansa::client::internal
