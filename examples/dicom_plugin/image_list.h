// Which files are read, and their labels.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "options.h"

namespace hansa_dicom {

struct Image {
  std::string path;
  std::uint32_t label;  // position in options.classes
};

// file: a folder with a folder for each class, or a CSV file with the columns options.column and label_column. A relative
// path in the CSV file is below the CSV file's folder. Files come in the order of their paths, or of the rows. Throws
// Failure, which names the file and the line.
std::vector<Image> list_images(const std::string& file, const std::string& label_column,
                               const Options& options);

}  // namespace hansa_dicom
