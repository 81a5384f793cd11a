// For a process that locks itself before it loads a model (common/sandbox/lock.h). Torch-free header.
#pragma once

namespace hansa::learning {

// Does once what LibTorch and its libraries need files for, on the calling thread and without starting others.
void warm_up();

}  // namespace hansa::learning
