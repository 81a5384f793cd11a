// The examples of a training as the child sees them.
#pragma once
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "client/trainer/internal/protocol.h"
#include "learning/data/dense_source.h"
#include "learning/data_supply.h"

namespace hansa::client::internal {

// Examples in the memory that the parent shares.
class MemorySource final : public learning::DataSource {
 public:
  MemorySource(PassedExamples examples, const TaskMemory& memory)
      : examples_(std::move(examples)), memory_(memory) {}

  [[nodiscard]] std::uint64_t example_count() const override { return examples_.count; }
  [[nodiscard]] const learning::ExampleShape& shape() const override { return examples_.shape; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    std::uint64_t out = 0;
    for (std::size_t t = 0; t < shape().size(); ++t) out += memory_.example_tensor(t).size();
    return out;
  }
  [[nodiscard]] std::string location() const override { return examples_.location; }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const learning::TensorBytes> tensors) const override {
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (!tensors[t].empty())
        learning::copy_examples(memory_.example_tensor(t), shape()[t].bytes(), indices, tensors[t]);
    return {};
  }

 private:
  PassedExamples examples_;
  TaskMemory memory_;
};

// Reads another source, and tells the parent with each batch that the training makes progress. A training that must stop
// learns it here, before its next batch.
class WatchedSource final : public learning::DataSource {
 public:
  WatchedSource(std::shared_ptr<const learning::DataSource> source, const TaskMemory& memory,
                std::stop_source& stop)
      : source_(std::move(source)), memory_(memory), stop_(stop) {}

  [[nodiscard]] std::uint64_t example_count() const override { return source_->example_count(); }
  [[nodiscard]] const learning::ExampleShape& shape() const override { return source_->shape(); }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return source_->memory_bytes(); }
  [[nodiscard]] std::string location() const override { return source_->location(); }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const learning::TensorBytes> tensors) const override {
    note_progress();
    return source_->read(indices, tensors);
  }
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const learning::TensorBytes> tensors,
                                            std::uint64_t seed) const override {
    note_progress();
    return source_->read_augmented(indices, tensors, seed);
  }
  [[nodiscard]] bool decodes() const override { return source_->decodes(); }
  [[nodiscard]] std::uint64_t damaged_files_max() const override { return source_->damaged_files_max(); }
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    return source_->identity(index);
  }

 private:
  void note_progress() const {
    memory_.progress().fetch_add(1, std::memory_order_relaxed);
    if (memory_.stop().load(std::memory_order_relaxed) != 0) stop_.request_stop();
  }

  std::shared_ptr<const learning::DataSource> source_;
  TaskMemory memory_;
  std::stop_source& stop_;
};

// Gives the trainer the examples that the current task is to be trained on.
class TaskSupply final : public learning::DataSupply {
 public:
  void set(std::shared_ptr<const learning::DataSource> source) { source_ = std::move(source); }
  Result<learning::AvailableData> available() override {
    return learning::AvailableData{source_ ? source_->example_count() : 0, 0, {}};
  }
  Result<learning::TrainingData> open(TaskId) override {
    if (!source_) return fail(ErrorCode::internal, "hansa-trainer", "has no examples");
    return learning::TrainingData{source_, 0, 0};
  }

 private:
  std::shared_ptr<const learning::DataSource> source_;
};

}  // namespace hansa::client::internal
