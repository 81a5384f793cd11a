// The memory that a trainer and its child share: the vectors of a task, its examples, and two words by which the parent
// watches and stops a training.
//
// Both sides compute the places of all parts from the same sizes, which the parent sends. The child may write anywhere
// at any time, so that the parent takes no size from here and copies a value before it checks it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hansa::client::internal {

// Numbers of values.
struct TaskSizes {
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> outputs;
  std::vector<std::size_t> kept;  // vectors kept from earlier trainings
  std::size_t kept_results = 0;  // room for the vectors to keep, one after the other
  // Examples, if the parent passes them.
  std::size_t example_inputs = 0;
  std::size_t example_classes = 0;
  std::size_t example_reals = 0;
};

class TaskMemory {
 public:
  [[nodiscard]] static std::size_t bytes_for(const TaskSizes& sizes);
  // `memory` has bytes_for(sizes) bytes, and outlives the object.
  TaskMemory(std::span<std::byte> memory, const TaskSizes& sizes);

  // Steps of the training so far: written by the child.
  [[nodiscard]] std::atomic_ref<std::uint64_t> progress() const { return std::atomic_ref(words_[0]); }
  // Not 0: the child must stop. Written by the parent.
  [[nodiscard]] std::atomic_ref<std::uint64_t> stop() const { return std::atomic_ref(words_[1]); }

  [[nodiscard]] std::span<float> input(std::size_t i) const { return inputs_[i]; }
  [[nodiscard]] std::span<float> output(std::size_t i) const { return outputs_[i]; }
  [[nodiscard]] std::span<float> kept(std::size_t i) const { return kept_[i]; }
  [[nodiscard]] std::span<float> kept_results() const { return kept_results_; }
  [[nodiscard]] std::span<float> example_inputs() const { return example_inputs_; }
  [[nodiscard]] std::span<std::int64_t> example_classes() const { return example_classes_; }
  [[nodiscard]] std::span<float> example_reals() const { return example_reals_; }

 private:
  std::uint64_t* words_;
  std::vector<std::span<float>> inputs_, outputs_, kept_;
  std::span<float> kept_results_, example_inputs_, example_reals_;
  std::span<std::int64_t> example_classes_;
};

}  // namespace hansa::client::internal
