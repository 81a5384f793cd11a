#include "client/trainer/internal/task_memory.h"

#include <cassert>

namespace hansa::client::internal {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t words_bytes = 4'096;  // a page of their own

std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

std::size_t TaskMemory::bytes_for(const TaskSizes& sizes) {
  std::size_t bytes = words_bytes;
  const auto add = [&](std::size_t values, std::size_t size) { bytes += aligned(values * size); };
  for (const auto* list : {&sizes.inputs, &sizes.outputs, &sizes.kept})
    for (const std::size_t values : *list) add(values, sizeof(float));
  for (const std::size_t tensor : sizes.examples) add(tensor, 1);
  add(sizes.kept_results, sizeof(float));
  return bytes;
}

TaskMemory::TaskMemory(std::span<std::byte> memory, const TaskSizes& sizes)
    : words_(reinterpret_cast<std::uint64_t*>(memory.data())) {
  assert(memory.size() >= bytes_for(sizes));
  memory = memory.subspan(words_bytes);
  const auto take = [&]<class T>(std::size_t values, T*) {
    const std::span<T> part(reinterpret_cast<T*>(memory.data()), values);
    memory = memory.subspan(aligned(values * sizeof(T)));
    return part;
  };
  float* const of_float = nullptr;
  for (const auto& [list, parts] : {std::pair(&sizes.inputs, &inputs_), std::pair(&sizes.outputs, &outputs_),
                                    std::pair(&sizes.kept, &kept_)})
    for (const std::size_t values : *list) parts->push_back(take(values, of_float));
  for (const std::size_t tensor : sizes.examples)
    examples_.push_back(take(tensor, static_cast<std::byte*>(nullptr)));
  kept_results_ = take(sizes.kept_results, of_float);
}

}  // namespace hansa::client::internal
