// What an example of a client's data looks like: names, types and ranges, no example.
//
// It stays on the device. The client compares it with the federation's contract (data_contract.h).
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hansa {

// In memory: boolean is a byte of 0 or 1.
enum class ElementType : std::uint8_t { float32, uint8, int32, int64, boolean };
inline constexpr std::size_t element_types = 5;
[[nodiscard]] std::size_t bytes_of(ElementType type);
[[nodiscard]] std::string_view name(ElementType type);  // "float32", ..., "boolean"
// Empty for another name.
[[nodiscard]] std::optional<ElementType> element_type_of(std::string_view name);

// Of the first target: class labels, numbers, or no target at all.
enum class TargetType : std::uint8_t { classes, real, none };
[[nodiscard]] std::string_view name(TargetType target);  // "class", "real", "none"

struct ValueRange {
  double least = 0;
  double most = 0;
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

// An input of an example.
struct TensorDescription {
  std::string name = "x";
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  friend bool operator==(const TensorDescription&, const TensorDescription&) = default;
};

// "x: float32 [12, 6]"
[[nodiscard]] std::string text_of(const TensorDescription& input);

struct DataDescription {
  std::vector<TensorDescription> inputs = {};  // at least one
  TargetType target = TargetType::classes;
  std::uint64_t class_count = 0;  // 0: the target is real
  // Of kinds with named columns (csv, windows); otherwise empty.
  std::vector<std::string> columns = {};  // the inputs, in the order in which the model takes them
  std::string label = {};
  std::vector<std::string> classes = {};  // empty also if labels are integers
  // One for each column: of its values before they are scaled, without missing ones. Empty: not known.
  std::vector<ValueRange> ranges = {};
  // One for each column: the values that are missing in rows that were taken. Empty: not known.
  std::vector<std::uint64_t> missing = {};
  std::uint64_t rows_skipped = 0;  // because a value is missing
  // What was done to make the values, where types and shapes do not show it: "16000 Hz, wave". Equal on all clients whose data
  // belongs together; at most described_preparation_max bytes. Empty: nothing, or not known.
  std::string preparation = {};
  friend bool operator==(const DataDescription&, const DataDescription&) = default;
};

// Largest description that is passed on from the process that reads the data. Names beyond are left out.
inline constexpr std::size_t described_columns_max = 4096;
inline constexpr std::size_t described_bytes_max = 128 * 1024;  // of all names together
inline constexpr std::size_t described_preparation_max = 200;

// Leaves out the names and ranges if they exceed the limits.
void limit_names(DataDescription& description);

// Equal for data with the same names of inputs, columns, label and classes in the same order and the same preparation, whatever
// their values. 0: the data has no names of columns or classes and no preparation. Others can guess names and compare: the first 8 bytes of a SHA-256.
[[nodiscard]] std::uint64_t schema_digest(const DataDescription& description);

}  // namespace hansa
