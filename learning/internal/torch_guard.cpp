#include "learning/internal/torch_guard.h"

#include <algorithm>
#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include <c10/util/Exception.h>

#include "common/text.h"

namespace hansa::learning {
namespace {

constexpr std::size_t reason_length_max = 300;
constexpr std::size_t code_length_max = 120;
constexpr std::string_view blanks_and_stop = " \t\r\n.";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// TorchScript wraps the reason in a traceback of many lines. The reason is the last line of the form "SomethingError:
// ...", or else the first line.
std::string reason_of(const std::vector<std::string_view>& lines) {
  const auto first = std::ranges::find_if(
      lines, [](std::string_view line) { return !trimmed(line, blanks_and_stop).empty(); });
  std::string_view reason = first == lines.end() ? std::string_view() : *first;
  for (const std::string_view line : lines) {
    const std::size_t colon = line.find("Error: ");
    if (colon != std::string_view::npos && line.find(' ') > colon) reason = line.substr(colon + 7);
  }
  // Its internal checks ask the reader to report a bug to PyTorch.
  const std::size_t request = reason.find(", please report a bug to PyTorch");
  if (request != std::string_view::npos) reason = reason.substr(0, request);
  return std::string(trimmed(reason, blanks_and_stop).substr(0, reason_length_max));
}

// The position of the error in the user's source, " (model.py:12: x = self.fc(x))", or empty. In the traceback
//   File "model.py", line 12, in forward
//           x = self.fc(x)
//               ~~~~~~~ <--- HERE
// the last position outside of PyTorch's own files is the relevant one: the original code, if the archive holds it,
// follows the serialized code, and in each of them the innermost call is last.
std::string source_location_of(const std::vector<std::string_view>& lines) {
  std::string file;
  std::string out;
  bool theirs = false;  // the file belongs to PyTorch
  bool found_own = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = trimmed(lines[i]);
    if (line.starts_with("File \"")) {
      const std::size_t quote = line.find('"', 6);
      const std::size_t number = line.find(", line ");
      if (quote == std::string_view::npos || number == std::string_view::npos) continue;
      const std::string_view name = line.substr(6, quote - 6);
      const std::size_t digits = number + 7;
      theirs = name.find("/torch/") != std::string_view::npos;
      file = std::string(name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1)) +
             ":" + std::string(line.substr(digits, line.find_first_not_of("0123456789", digits) - digits));
    } else if (line.ends_with("<--- HERE") && i > 0 && !file.empty() && !(theirs && found_own)) {
      found_own = !theirs;
      out = " (" + file + ": " + std::string(trimmed(lines[i - 1]).substr(0, code_length_max)) + ")";
    }
  }
  return out;
}

std::string explain(std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text);
  return reason_of(lines) + source_location_of(lines);
}

// LibTorch's interpreter turns what its operators throw into a runtime_error, so that only the text tells.
bool is_out_of_memory(std::string_view text) {
  for (const std::string_view sign : {"DefaultCPUAllocator", "not enough memory", "std::bad_alloc"})
    if (text.find(sign) != std::string_view::npos) return true;
  return false;
}

}  // namespace

Error describe_current_exception(const std::string& location, const std::string& context,
                                 const std::string& hint) {
  const auto out_of_memory = [&] {
    return Error{ErrorCode::resource, location, context + ": out of memory",
                 "use a smaller batch or a device with more memory"};
  };
  const auto failed = [&](const std::string& reason) {
    return Error{ErrorCode::model, location, context + reason, hint, {ReasonCode::training_failed, {}}};
  };
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const c10::Error& error) {
    const std::string reason = explain(error.what_without_backtrace());
    return is_out_of_memory(reason) ? out_of_memory() : failed(": " + reason);
  } catch (const std::exception& error) {
    return is_out_of_memory(error.what()) ? out_of_memory() : failed(": " + explain(error.what()));
  } catch (...) {
    return failed("");
  }
}

}  // namespace hansa::learning
