// Converts every exception of LibTorch to an Error of one line, so that none leaves this folder.
#pragma once
#include <string>
#include <utility>

#include "common/error.h"

namespace hansa::learning {

// The Error for the current exception; call it only in a catch block. Its code is resource if memory is exhausted, and
// else `code`. `context` names the operation that failed: "cannot be loaded".
[[nodiscard]] Error describe_current_exception(const std::string& location, const std::string& context,
                                               const std::string& hint);

// Returns f(), or the Error for its exception. f returns a Result.
template <class F>
auto guarded(const std::string& location, const std::string& context, const std::string& hint, F&& f)
    -> decltype(std::forward<F>(f)()) {
  try {
    return std::forward<F>(f)();
  } catch (...) {
    return tl::unexpected<Error>(describe_current_exception(location, context, hint));
  }
}

}  // namespace hansa::learning
