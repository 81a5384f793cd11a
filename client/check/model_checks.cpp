#include "client/check/model_checks.h"

#include <fmt/format.h>

#include "common/digest.h"
#include "common/files.h"

namespace hansa::client {

namespace fs = std::filesystem;

std::optional<fs::path> last_archive(const fs::path& state) {
  std::optional<fs::path> out;
  fs::file_time_type newest{};
  std::error_code error;
  for (fs::directory_iterator entry(state / "archives", error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& file = entry->path();
    std::error_code unreadable;
    const auto written = fs::last_write_time(file, unreadable);
    if (unreadable || file.extension() != ".pt" || (out && written <= newest)) continue;
    const auto digest = digest_of_file(file);
    if (!digest || digest->hex() != file.stem().string()) continue;
    out = file;
    newest = written;
  }
  return out;
}

Finding model_finding(const Result<ModelFit>& fit) {
  if (!fit) return failed(Check::model, fit.error());
  std::string text =
      fmt::format("a training step on this data works, with a model of {} values", fit->values);
  for (const std::string& warning : fit->warnings) text += "; " + warning;
  return passed(Check::model, std::move(text));
}

}  // namespace hansa::client
