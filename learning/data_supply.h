// Where a trainer gets its examples: a data set that stays, or one that grows. Torch-free header.
#pragma once
#include <cstdint>
#include <memory>

#include "common/error.h"
#include "learning/data/data_source.h"
#include "learning/trainer.h"

namespace hansa::learning {

// The examples of one training.
struct TrainingData {
  std::shared_ptr<const DataSource> source;
  std::uint64_t new_examples = 0;
  std::uint64_t mark = 0;  // names the new ones to counted()
};

// Any thread may call.
class DataSupply {
 public:
  virtual ~DataSupply() = default;
  // Fails with the data's error if it cannot be used.
  [[nodiscard]] virtual Result<AvailableData> available() = 0;
  [[nodiscard]] virtual Result<TrainingData> open() = 0;
  // An update trained on these new examples was counted by the aggregator: they are not new any more. Calling
  // it twice is calling it once.
  [[nodiscard]] virtual Result<void> counted(std::uint64_t mark) = 0;
};

// What config names, opened at the first use and kept; `tensors` too.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(const DataConfig& config);
// Examples that a program has already.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(std::shared_ptr<const DataSource> source);
// open_data_source() and "tensors" too, which LibTorch reads.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_examples(const DataConfig& config);

}  // namespace hansa::learning
