// Files with a class label each, as kinds with one file for an example name them: a folder for each class, or a CSV file
// of paths and labels.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "learning/data/data_config.h"

namespace hansa::learning::kinds {

struct LabelledFile {
  std::filesystem::path path;
  std::string name;  // the path below class_folders, or as the CSV file has it
  std::int64_t label = 0;
};

struct LabelledFiles {
  std::vector<LabelledFile> files;  // in the order of the CSV file, or of classes and names
  std::vector<std::string> classes;  // names; empty: labels are integers
  std::int64_t class_count = 0;
  std::optional<Error> problem =
      {};  // of a growing list: a line that cannot be used, behind which nothing was read
};

// The ends of the names of files of the kind ("images" or "audio"), in lower case: ".jpg".
[[nodiscard]] std::span<const std::string_view> extensions_of(std::string_view kind);

// growing: files and lines are still added, so that there may be none yet, and the last line may be incomplete.
enum class Listing : std::uint8_t { whole, growing };

// The first examples_max files, of class_folders in turn of each class. Below class_folders only files with the extensions of
// the kind (in any case) count, also in folders of the class's folder; names that begin with a dot do not. Fails (data) if there is none, if a folder is not one of
// the classes, or at a line of the CSV file that cannot be used; a path in it must stay below its folder, or be absolute.
[[nodiscard]] Result<LabelledFiles> find_labelled_files(const DataConfig& config,
                                                        Listing listing = Listing::whole);

}  // namespace hansa::learning::kinds
