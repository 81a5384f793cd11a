#include "learning/data_supply.h"

#include <mutex>

#include "learning/data/kinds/kinds.h"
#include "learning/data/left_out.h"
#include "learning/internal/tensors_source.h"

namespace hansa::learning {
namespace {

class FixedSupply final : public DataSupply {
 public:
  explicit FixedSupply(DataConfig config) : config_(std::move(config)) {}
  explicit FixedSupply(std::shared_ptr<const DataSource> source) : source_(std::move(source)) {}

  Result<AvailableData> available() override {
    HANSA_TRY(const TrainingData data, open(TaskId{}));
    return AvailableData{
        data.source->example_count(), 0, {}, data.source->description(), notes_of(*data.source)};
  }
  Result<TrainingData> open(TaskId) override {
    const std::lock_guard lock(mutex_);
    if (!source_) {
      HANSA_TRY(source_, open_examples(config_));
    }
    return TrainingData{source_, 0, 0};
  }

 private:
  DataConfig config_;
  std::mutex mutex_;
  std::shared_ptr<const DataSource> source_;
};

}  // namespace

std::shared_ptr<DataSupply> supply_data(const DataConfig& config) {
  return std::make_shared<FixedSupply>(config);
}
std::shared_ptr<DataSupply> supply_data(std::shared_ptr<const DataSource> source) {
  return std::make_shared<FixedSupply>(std::move(source));
}

Result<std::unique_ptr<DataSource>> open_examples(const DataConfig& config) {
  if (config.kind == "tensors") return open_tensors_source(config);
  if (auto opened = open_optional_kind(config)) return *std::move(opened);
  return open_data_source(config);
}

}  // namespace hansa::learning
