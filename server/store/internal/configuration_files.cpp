#include "server/store/internal/configuration_files.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "common/files.h"

namespace hansa::server::internal {
namespace {

constexpr std::string_view prefix = "after-";
constexpr std::string_view suffix = ".toml";
constexpr std::size_t bytes_max = std::size_t{1} << 20;

std::optional<RoundId> round_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  name = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  std::uint32_t round = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), round);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return RoundId(round);
}

}  // namespace

Result<void> put_configuration(const std::filesystem::path& folder, RoundId after, std::string_view text) {
  HANSA_TRY_VOID(make_folders(folder));
  return write_file_atomically(
      folder / (std::string(prefix) + std::to_string(after.value) + std::string(suffix)), text);
}

Result<std::vector<Run::Configuration>> read_configurations(const std::filesystem::path& folder) {
  std::vector<Run::Configuration> out;
  std::error_code error;
  // A run folder may come from elsewhere: a link in it would show another file of this machine.
  if (std::filesystem::is_symlink(folder, error)) return out;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto after = round_of(entry->path().filename().string());
    if (!after || !std::filesystem::is_regular_file(entry->symlink_status(error))) continue;
    HANSA_TRY(auto text, read_text_file(entry->path(), bytes_max));
    out.push_back({*after, std::move(text)});
  }
  std::ranges::sort(out, {}, &Run::Configuration::after);
  return out;
}

}  // namespace hansa::server::internal
