// Where a trainer gets its examples: a data set that stays, or one that grows. Torch-free header.
#pragma once
#include <cstdint>
#include <memory>

#include "common/error.h"
#include "common/identifiers.h"
#include "learning/data/data_source.h"
#include "learning/trainer.h"

namespace hansa::learning {

// The examples of one training.
struct TrainingData {
  std::shared_ptr<const DataSource> source;
  std::uint64_t new_examples = 0;
  std::uint64_t mark = 0;  // names the new ones to whoever stores them; 0: there is none
};

// Any thread may call.
class DataSupply {
 public:
  virtual ~DataSupply() = default;
  // Fails with the data's error if it cannot be used.
  [[nodiscard]] virtual Result<AvailableData> available() = 0;
  // The examples for the training of a task. A task that is repeated gets the same ones.
  [[nodiscard]] virtual Result<TrainingData> open(TaskId task) = 0;
  // Some examples are no longer new, as an update that was trained on them was counted: there may be room for others.
  virtual void room_again() {}
};

// What config names, opened at the first use and kept; `tensors` too.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(const DataConfig& config);
// Examples that a program has already.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(std::shared_ptr<const DataSource> source);
// open_data_source() and "tensors" too, which LibTorch reads.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_examples(const DataConfig& config);

}  // namespace hansa::learning
