#include "common/program_files.h"

#include <system_error>

namespace hansa {
namespace {

std::filesystem::path running_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return std::filesystem::current_path(error) / "program";
  // The kernel's mark of a file that was replaced, as an upgrade does while the program runs.
  constexpr std::string_view mark = " (deleted)";
  std::string text = path.string();
  if (text.ends_with(mark)) path = text.substr(0, text.size() - mark.size());
  return path;
}

}  // namespace

std::vector<std::filesystem::path> places_of_program_file(std::string_view name) {
  const std::filesystem::path program = running_program();
  const std::filesystem::path folder = program.parent_path();
  const std::filesystem::path libraries = folder.parent_path() / "lib";
  return {folder / name, libraries / program.filename() / name, libraries / "hansa" / name};
}

std::filesystem::path find_program_file(std::string_view name) {
  const auto places = places_of_program_file(name);
  for (const auto& place : places) {
    std::error_code error;
    if (std::filesystem::exists(place, error)) return place;
  }
  return places.front();
}

}  // namespace hansa
