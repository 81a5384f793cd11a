// Examples by index as flat spans: what every kind of data looks like to the trainer. A program that links
// Hansa brings a kind of its own by deriving from DataSource and registering it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "learning/data/data_config.h"

namespace hansa::learning {

struct ExampleShape {
  std::vector<std::int64_t> input;  // of one example: {1, 28, 28}
  TargetKind target_kind = TargetKind::class_index;
  std::vector<std::int64_t> target;  // of one example: empty for a scalar
  std::int64_t class_count = 0;  // class_index: every label is below it

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
  [[nodiscard]] virtual std::string location() const = 0;
  // Example indices[i] goes to element i * input_elements(); the span has just the room.
  virtual void read_inputs(std::span<const std::uint32_t> indices, std::span<float> inputs) const = 0;
  // Of the two, the one that fits shape().target_kind; the other asserts.
  virtual void read_targets(std::span<const std::uint32_t> indices,
                            std::span<std::int64_t> targets) const = 0;
  virtual void read_targets(std::span<const std::uint32_t> indices, std::span<float> targets) const = 0;
};

// Opens what config names. Fails (usage) on an unknown kind, naming the kinds; (data) on a file that is
// missing, damaged, or holds no example, with the line where there is one.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config);

using OpenDataSource = std::function<Result<std::unique_ptr<DataSource>>(const DataConfig&)>;
// Makes kind a value of `kind` in configurations and lets open_data_source() open it. Before configurations are
// read, from one thread. Fails (usage) if the name is taken.
[[nodiscard]] Result<void> register_data_kind(const std::string& kind, OpenDataSource open);

// "idx", "csv", ..., then the registered ones.
[[nodiscard]] std::vector<std::string> data_kinds();
[[nodiscard]] bool is_built_in_data_kind(std::string_view kind);
// What to say of a kind that does not exist: the nearest, or all.
[[nodiscard]] std::string unknown_data_kind_mend(std::string_view kind);

}  // namespace hansa::learning
