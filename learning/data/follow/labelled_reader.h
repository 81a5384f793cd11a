// Reads the examples of labelled files (kinds images and audio), file by file.
//
// The files are opened together, in the way in which data of their kind is opened: a client decodes them in a locked child
// process, one for each call. A call with many files is therefore faster than many calls.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "learning/data/data_source.h"
#include "learning/data/dense_source.h"
#include "learning/data/kinds/labelled_files.h"

namespace hansa::learning::internal {

struct FileExamples {
  Examples examples;  // of a damaged file none
  DataDescription description;
  std::optional<Error> problem;  // why the file cannot be used
  [[nodiscard]] bool is_damaged() const {
    return problem && (problem->reason.code == ReasonCode::data_damaged ||
                       problem->reason.code == ReasonCode::example_invalid);
  }
};

class LabelledReader {
 public:
  // open: as that of a feed.
  LabelledReader(const DataConfig& data, OpenDataSource open);

  // One for each file. Fails if the files cannot be opened for a reason that is not one of them.
  [[nodiscard]] Result<std::vector<FileExamples>> read(std::span<const kinds::LabelledFile> files) const;

 private:
  [[nodiscard]] Result<std::vector<FileExamples>> read_together(
      std::span<const kinds::LabelledFile> files) const;

  DataConfig data_;
  OpenDataSource open_;
};

}  // namespace hansa::learning::internal
