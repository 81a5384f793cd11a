// Where a trainer gets its examples: a fixed data set, or one that grows. Torch-free header.
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
  std::uint64_t mark = 0;  // identifies the new ones for their store; 0: there are none
};

// Any thread may call.
class DataSupply {
 public:
  virtual ~DataSupply() = default;
  // Fails with the data's error if it cannot be used.
  [[nodiscard]] virtual Result<AvailableData> available() = 0;
  // The examples for the training of a task. A task that is repeated gets the same ones.
  [[nodiscard]] virtual Result<TrainingData> open(TaskId task) = 0;
  // Called when an update was counted: the examples on which it was trained are no longer new, so that there may be
  // room for others.
  virtual void room_again() {}
};

// The data that config describes, of any kind. It is opened at the first use and kept open.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(const DataConfig& config);
// Examples that the program has already opened.
[[nodiscard]] std::shared_ptr<DataSupply> supply_data(std::shared_ptr<const DataSource> source);
// Like open_data_source(), and also opens the kinds for which needs_trainer() is true: "tensors" and those of data/kinds.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_examples(const DataConfig& config);

}  // namespace hansa::learning
