// Labelled files for tests of what follows them: each digit in a file is an example, and a file with anything else is damaged.
#pragma once
#include <memory>
#include <string>
#include <utility>

#include "common/files.h"
#include "learning/data/dense_source.h"
#include "learning/data/kinds/labelled_files.h"

namespace hansa::learning::testing {

// Opens the files that a CSV file names, as the kinds of data do.
inline Result<std::unique_ptr<DataSource>> open_digits(const DataConfig& config) {
  HANSA_TRY(const kinds::LabelledFiles listed, kinds::find_labelled_files(config));
  Examples examples(one_input({}, class_target(listed.class_count)));
  for (const kinds::LabelledFile& file : listed.files) {
    HANSA_TRY(const std::string text, read_text_file(file.path, 1'000));
    if (text == "crash") return fail(ErrorCode::internal, "hansa-trainer", "has ended");
    if (text == "rate") return fail(ErrorCode::data, file.path.string(), "has 8000 Hz", "convert it");
    const bool is_damaged = text.empty() || text.find_first_not_of("0123456789") != std::string::npos;
    if (is_damaged && config.damaged_max > 0) continue;
    if (is_damaged)
      return fail(ErrorCode::data, file.path.string(), "is no number", "copy it again",
                  {ReasonCode::data_damaged, {}});
    for (const char digit : text) {
      examples.values<float>(0).push_back(static_cast<float>(digit - '0'));
      examples.values<std::int64_t>(1).push_back(file.label);
    }
  }
  return std::make_unique<DenseSource>(config.file.string(), std::move(examples));
}

}  // namespace hansa::learning::testing
