// Nothing that LibTorch throws leaves this folder: it becomes an Error of one line.
#pragma once
#include <string>
#include <utility>

#include "common/error.h"

namespace hansa::learning {

// The Error for the exception in flight; call it in a catch block only. Out of memory has code
// resource, all else code model. context says what was tried: "cannot be loaded".
[[nodiscard]] Error describe_current_exception(std::string place, const std::string& context,
                                               std::string hint);

// f(), or the Error of what it throws. f returns a Result.
template <class F>
auto guarded(const std::string& place, const std::string& context, const std::string& hint, F&& f)
    -> decltype(std::forward<F>(f)()) {
  try {
    return std::forward<F>(f)();
  } catch (...) {
    return tl::unexpected<Error>(describe_current_exception(place, context, hint));
  }
}

}  // namespace hansa::learning
