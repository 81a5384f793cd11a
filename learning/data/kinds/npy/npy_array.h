// The array of an .npy file or of a member of an .npz file.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "learning/data/kinds/arrays/array.h"
#include "learning/data/kinds/npy/npy_header.h"

namespace hansa::learning::kinds {

// The first `count` examples. `values` are those of the header, or in C order at least those of the first examples;
// `memory` holds them. An array in Fortran order is copied into memory, whose example would otherwise be spread over the
// whole file. Fails (data) if the copy exceeds held_bytes_max.
[[nodiscard]] Result<Array> npy_array(ArraySpec spec, const NpyHeader& header,
                                      std::span<const std::byte> values,
                                      std::shared_ptr<const ArrayMemory> memory, std::uint64_t count,
                                      const std::string& location);

}  // namespace hansa::learning::kinds
