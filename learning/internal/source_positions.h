// The positions in the user's Python source from which an archive's code was made. Includes LibTorch.
#pragma once
#include <cstddef>
#include <memory>

#include <torch/csrc/jit/frontend/source_range.h>
#include <torch/csrc/jit/serialization/source_range_serialization.h>

namespace hansa::learning {

// Reads the record code/...py.debug_pkl, for errors that name the user's line. LibTorch has the same reader, but does
// not export it. Throws if the record is malformed.
[[nodiscard]] std::shared_ptr<torch::jit::SourceRangeUnpickler> read_source_positions(const char* data,
                                                                                      std::size_t size);

}  // namespace hansa::learning
