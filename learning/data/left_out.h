// Files that are left out of the data because they are damaged, of kinds with many files (images, audio).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// How many of `files` may be damaged: the fraction, but at least one if it is not 0, and never all.
[[nodiscard]] std::uint64_t damaged_files_allowed(double fraction, std::uint64_t files);

class LeftOut {
 public:
  explicit LeftOut(std::uint64_t allowed) : allowed_(allowed) {}

  // The error of a file. Fails with it if no file may be damaged, or with one error about all if there are too many.
  [[nodiscard]] Result<void> add(Error error);
  [[nodiscard]] std::uint64_t room() const { return allowed_ - errors_.size(); }
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

 private:
  std::uint64_t allowed_;
  std::vector<Error> errors_;
};

// One note about the files of these errors, for the operator: how many, the first names, and what to do. `what` was
// done with them: "left out". At least one.
[[nodiscard]] Error note_of_damaged(const std::string& location, std::span<const Error> errors,
                                    const std::string& what);

// What to tell the operator of a source that was opened.
[[nodiscard]] std::vector<Error> notes_of(const DataSource& source);

}  // namespace hansa::learning
