// What an example of a client's data looks like: names, types and ranges, no example.
//
// It stays on the device. The client compares it with the federation's contract (data_contract.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hansa {

enum class ElementType : std::uint8_t { float32 };
enum class TargetType : std::uint8_t { classes, real };

struct ValueRange {
  double least = 0;
  double most = 0;
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

// A tensor of an example. Every example has one input today; more of them would be a list of named ones.
struct TensorDescription {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  friend bool operator==(const TensorDescription&, const TensorDescription&) = default;
};

struct DataDescription {
  TensorDescription input;
  TargetType target = TargetType::classes;
  std::uint64_t class_count = 0;  // 0: the target is real
  // Of kinds with named columns (csv, windows); otherwise empty.
  std::vector<std::string> columns = {};  // the inputs, in the order in which the model takes them
  std::string label = {};
  std::vector<std::string> classes = {};  // empty also if labels are integers
  // One for each column: of its values before they are scaled, without missing ones. Empty: not known.
  std::vector<ValueRange> ranges = {};
  friend bool operator==(const DataDescription&, const DataDescription&) = default;
};

// Largest description that is passed on from the process that reads the data. Names beyond are left out.
inline constexpr std::size_t described_columns_max = 4096;
inline constexpr std::size_t described_bytes_max = 128 * 1024;  // of all names together

// Leaves out the names and ranges if they exceed the limits.
void limit_names(DataDescription& description);

}  // namespace hansa
