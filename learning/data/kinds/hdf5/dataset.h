// A dataset of an HDF5 file: an array of numbers.
#pragma once
#include <cstdint>
#include <string>

#include "common/error.h"
#include "learning/data/kinds/arrays/array.h"
#include "learning/data/kinds/hdf5/handle.h"

namespace hansa::learning::kinds {

// One thread in the whole process at a time: the serial library need not be thread-safe. Errors have code data.
class Hdf5Dataset {
 public:
  // `path` is that of a dataset in the file. Fails if there is none, or if it does not hold numbers that the file itself
  // stores.
  [[nodiscard]] static Result<Hdf5Dataset> open(const Hdf5Handle& file, const std::string& location,
                                                const std::string& path, std::string name);

  // Floating point has type float32 here, whatever its type in the file.
  [[nodiscard]] const ArraySpec& spec() const { return spec_; }
  // Reads the first `count` examples into memory. There must be that many, with values.
  [[nodiscard]] Result<Array> read(std::uint64_t count) const;

 private:
  Hdf5Dataset(Hdf5Handle dataset, std::string location);
  [[nodiscard]] Result<void> read_type();
  [[nodiscard]] Result<void> read_shape();
  [[nodiscard]] Result<void> check_place();
  [[nodiscard]] Result<void> check_storage();
  [[nodiscard]] Result<void> check_filters(const Hdf5Handle& properties) const;
  [[nodiscard]] Result<void> check_size(std::uint64_t chunk_bytes) const;
  [[nodiscard]] Result<void> read_part(std::uint64_t begin, std::uint64_t count, std::byte* to) const;
  [[nodiscard]] tl::unexpected<Error> bad(std::string what, std::string hint) const;

  Hdf5Handle dataset_;
  std::string location_;  // with the path
  ArraySpec spec_;
  Hdf5Id memory_type_ = -1;  // a predefined type
  std::uint64_t chunk_examples_ = 1;
};

// A hint that names some datasets of the file.
[[nodiscard]] std::string hint_of_datasets(const Hdf5Handle& file);

}  // namespace hansa::learning::kinds
