// What a client's data looks like, for `hansa data describe`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/data_description.h"
#include "common/error.h"
#include "learning/data/data_source.h"

namespace hansa::tools {

struct ValueStatistics {
  double least = 0;
  double most = 0;
  double mean = 0;
  double deviation = 0;  // of the population
};

struct TensorSummary {
  learning::TensorSpec spec;
  bool is_target = false;
  ValueStatistics values;
  std::vector<std::uint64_t> labels;  // of a target of classes: how often each class occurs
  std::uint64_t ignored_labels = 0;
};

struct DataSummary {
  std::string location;
  std::uint64_t examples = 0;
  std::uint64_t read = 0;  // the examples that the values below are of
  std::uint64_t memory_bytes = 0;  // of the source while it is open
  std::uint64_t example_bytes = 0;  // of one example in a batch
  std::vector<TensorSummary> tensors;
  DataDescription description;
  std::uint64_t columns = 0;  // of the float32 inputs, as [statistics] counts them
  std::vector<Error> damaged;  // the files that were left out, and those whose examples could not be read
  std::vector<Error> notes = {};  // about data that has arrived: what was skipped, and why
};

// Reads all examples; `some`: evenly distributed ones if the source decodes and has more than decoded_max. Examples of damaged files
// are left out of the values.
enum class Reading : std::uint8_t { some, all };
inline constexpr std::uint64_t decoded_max = 1'000;
[[nodiscard]] Result<DataSummary> summarise(const learning::DataSource& source, DataDescription description,
                                            Reading reading);

[[nodiscard]] std::string text_of(const DataSummary& summary);
[[nodiscard]] std::string json_of(const DataSummary& summary);

}  // namespace hansa::tools
