// Stands for a kernel or a container that refuses system calls.
#pragma once
#include <initializer_list>

namespace hansa::testing {

// From now on these system calls fail with this error, in this process and all that it starts. Call it in a process that
// was forked for the test.
void refuse(std::initializer_list<const char*> calls, int error);

}  // namespace hansa::testing
