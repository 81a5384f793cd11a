#include "learning/data/left_out.h"

#include <algorithm>

#include "common/text.h"

namespace hansa::learning {
namespace {

std::string count_of_files(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " file is damaged" : " files are damaged");
}

// "a.png (is empty), b.png (is a damaged image: ...) and 3 more"
std::string first_of(std::span<const Error> errors) {
  constexpr std::size_t shown_max = 3;
  std::string out;
  for (const Error& error : errors.first(std::min(errors.size(), shown_max)))
    out += (out.empty() ? "" : ", ") + printable(error.location) + " (" + error.what + ")";
  return out +
         (errors.size() > shown_max ? " and " + std::to_string(errors.size() - shown_max) + " more" : "");
}

constexpr const char* hint =
    "copy them again, or remove them; hansa data describe CLIENT.TOML --all lists them";

}  // namespace

std::uint64_t damaged_files_allowed(double fraction, std::uint64_t files) {
  if (!(fraction > 0) || files == 0) return 0;
  const auto by_fraction = static_cast<std::uint64_t>(fraction * static_cast<double>(files));
  return std::min(std::max<std::uint64_t>(by_fraction, 1), files - 1);
}

Result<void> LeftOut::add(Error error) {
  if (allowed_ == 0) return tl::unexpected<Error>(std::move(error));
  errors_.push_back(std::move(error));
  if (errors_.size() <= allowed_) return {};
  const Error& first = errors_.front();
  return fail(ErrorCode::data, first.location,
              count_of_files(errors_.size()) + ", and data.damaged_max allows " + std::to_string(allowed_) +
                  ": " + first_of(errors_),
              hint, {ReasonCode::data_damaged, {{Quantity::count, errors_.size()}}});
}

Error note_of_damaged(const std::string& location, std::span<const Error> errors, const std::string& what) {
  return {ErrorCode::data,
          location,
          count_of_files(errors.size()) + " and " + what + ": " + first_of(errors),
          hint,
          {ReasonCode::record_skipped,
           {{Quantity::because, static_cast<std::uint64_t>(ReasonCode::data_damaged)},
            {Quantity::count, errors.size()}}}};
}

std::vector<Error> notes_of(const DataSource& source) {
  const std::vector<Error> errors = source.left_out();
  if (errors.empty()) return {};
  return {note_of_damaged(source.location(), errors, "left out")};
}

}  // namespace hansa::learning
