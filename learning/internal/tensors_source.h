// Kind "tensors": files written by torch.save({"x": x, "y": y}, file).
#pragma once
#include <memory>

#include "learning/data/data_source.h"

namespace hansa::learning {

// x: n x shape, of any real type; y: n (or n x 1) integers for classes, or n x shape floats. The file is mapped, not
// read: examples stay on disk until a batch needs them, unless a tensor is not contiguous. Fails (data), naming the
// file and the example, on another file format, a missing tensor, different counts of x and y, NaN, and a negative
// label.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_tensors_source(const DataConfig& config);

}  // namespace hansa::learning
