#include "learning/internal/torch_guard.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>

#include <c10/util/Exception.h>

namespace hansa::learning {
namespace {

// TorchScript wraps the reason in a traceback of many lines: the reason is the last line of the
// form "SomethingError: ...", else the first line.
std::string reason_line(std::string_view text) {
  constexpr std::size_t length_max = 300;
  std::string_view reason = text.substr(0, text.find('\n'));
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    const std::size_t colon = line.find("Error: ");
    if (colon != std::string_view::npos && line.find(' ') > colon) reason = line.substr(colon + 7);
    start = end + 1;
  }
  while (!reason.empty() && (reason.back() == '.' || reason.back() == ' ')) reason.remove_suffix(1);
  return std::string(reason.substr(0, length_max));
}

}  // namespace

Error describe_current_exception(std::string place, const std::string& context, std::string mend) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {ErrorCode::resource, std::move(place), context + ": out of memory",
            "use a smaller batch or a device with more memory"};
  } catch (const c10::Error& error) {
    const std::string reason = reason_line(error.what_without_backtrace());
    if (reason.find("not enough memory") != std::string::npos || reason.find("DefaultCPUAllocator") == 0)
      return {ErrorCode::resource, std::move(place), context + ": out of memory",
              "use a smaller batch or a device with more memory"};
    return {ErrorCode::model, std::move(place), context + ": " + reason, std::move(mend)};
  } catch (const std::exception& error) {
    return {ErrorCode::model, std::move(place), context + ": " + reason_line(error.what()), std::move(mend)};
  } catch (...) {
    return {ErrorCode::model, std::move(place), context, std::move(mend)};
  }
}

}  // namespace hansa::learning
