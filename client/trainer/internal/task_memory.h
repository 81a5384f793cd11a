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

struct TaskSizes {
  // Numbers of values.
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> outputs;
  std::vector<std::size_t> kept;  // vectors kept from earlier trainings
  std::size_t kept_results = 0;  // room for the vectors to keep, one after the other
  std::vector<std::size_t> examples;  // bytes of each tensor of the examples, if the parent passes them
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
  // A tensor of all examples.
  [[nodiscard]] std::span<std::byte> example_tensor(std::size_t i) const { return examples_[i]; }

 private:
  std::uint64_t* words_;
  std::vector<std::span<float>> inputs_, outputs_, kept_;
  std::span<float> kept_results_;
  std::vector<std::span<std::byte>> examples_;
};

}  // namespace hansa::client::internal
