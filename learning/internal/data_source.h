// Examples by index as flat spans: what every kind of data file looks like to the trainer. Torch-free.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data_config.h"

namespace hansa::learning {

enum class TargetKind : std::uint8_t { class_index, real };

struct ExampleShape {
  std::vector<std::int64_t> input;  // of one example: {1, 28, 28}
  TargetKind target_kind = TargetKind::class_index;
  std::vector<std::int64_t> target;  // of one example: empty for a scalar
  std::int64_t class_count = 0;  // class_index: the largest label + 1

  [[nodiscard]] std::size_t input_elements() const;
  [[nodiscard]] std::size_t target_elements() const;
};

// Reading is const: threads may share a source.
class DataSource {
 public:
  virtual ~DataSource() = default;
  [[nodiscard]] virtual std::uint64_t example_count() const = 0;  // at least 1
  [[nodiscard]] virtual const ExampleShape& shape() const = 0;
  // What the source keeps in memory.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
  // Names the source in errors: its main file.
  [[nodiscard]] virtual std::string place() const = 0;
  // Example indices[i] goes to element i * input_elements(); the span has just the room.
  virtual void read_inputs(std::span<const std::uint32_t> indices, std::span<float> inputs) const = 0;
  // Of the two, the one that fits shape().target_kind; the other asserts.
  virtual void read_targets(std::span<const std::uint32_t> indices,
                            std::span<std::int64_t> targets) const = 0;
  virtual void read_targets(std::span<const std::uint32_t> indices, std::span<float> targets) const = 0;
};

// Opens what config names. Fails (usage) on an unknown kind, naming the kinds; (data) on a file
// that is missing, damaged, or holds no example.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config);

}  // namespace hansa::learning
