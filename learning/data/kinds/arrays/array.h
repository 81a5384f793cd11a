// An array of numbers, as files of kinds "npy" and "hdf5" hold them by name: the values of one tensor of all examples.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "learning/data/kinds/arrays/number_type.h"

namespace hansa::learning::kinds {

struct ArraySpec {
  std::string name;
  NumberType type = NumberType::float32;
  std::vector<std::uint64_t> shape;  // the first dimension is the number of examples

  [[nodiscard]] std::uint64_t example_bytes() const;  // shape must have a dimension
};

// Bytes of an array of this type and shape. Empty: more than any file has.
[[nodiscard]] std::optional<std::uint64_t> array_bytes(NumberType type, std::span<const std::uint64_t> shape);

// What holds the values of arrays: memory, or a file that is mapped into memory.
class ArrayMemory {
 public:
  virtual ~ArrayMemory() = default;
  // Bytes that the system cannot reclaim.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
  // Fails (data) if the values cannot be read any more, or were not those of the file when they were read. Thread-safe.
  [[nodiscard]] virtual Result<void> check() const { return {}; }
};

class HeldValues final : public ArrayMemory {
 public:
  explicit HeldValues(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t memory_bytes() const override { return bytes_.size(); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

struct Array {
  ArraySpec spec;
  std::endian byte_order = std::endian::native;
  std::span<const std::byte> values;  // the last dimension fastest (C order); need not be aligned
  std::shared_ptr<const ArrayMemory> memory;  // holds the values
};

// Largest number of bytes of arrays that are held in memory. A file that claims more is refused before memory is
// allocated.
inline constexpr std::uint64_t held_bytes_max = 1ULL << 32;

// Adds memory for at most `bytes` bytes in total to `values`, and returns the part that was added. Memory grows as it is
// filled, so that a false size cannot make a reader allocate much.
[[nodiscard]] std::span<std::byte> grow(std::vector<std::byte>& values, std::uint64_t bytes);

}  // namespace hansa::learning::kinds
