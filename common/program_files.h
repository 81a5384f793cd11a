// Where a program finds the files that only it uses: its child program and its modules.
//
// In a build folder everything is in one folder. Installed, PREFIX/bin has the programs that people run, and
// PREFIX/lib/PROGRAM the files of PROGRAM. The paths are relative to the program, so that PREFIX may be any folder.
#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

namespace hansa {

// The places of such a file, in the order in which they are tried: the program's own folder, ../lib/PROGRAM, and
// ../lib/hansa, for programs that embed Hansa.
[[nodiscard]] std::vector<std::filesystem::path> places_of_program_file(std::string_view name);
// The first place that has the file; if none has it, the program's own folder, for the error that follows.
[[nodiscard]] std::filesystem::path find_program_file(std::string_view name);

}  // namespace hansa
