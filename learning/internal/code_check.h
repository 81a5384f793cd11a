// The static check of a model's code, before any of it runs. Includes LibTorch.
#pragma once
#include <string>

#include <torch/csrc/jit/api/compilation_unit.h>

#include "common/error.h"

namespace hansa::learning {

// Checks every function and method of the unit, with all their blocks, whether they are called or not. Fails (model),
// naming the source line, on an operator that is not allowed (allowed_operators.h), on an object of torch.classes, and
// on an exception or a warning whose text is computed from a tensor. Other computed texts ("got input of size {}") are
// replaced by their constant part, so that no text of an exception or a warning depends on data. Casts get a test of the
// type (cast_check.h). `location` names the archive in errors.
[[nodiscard]] Result<void> check_code(torch::jit::CompilationUnit& unit, const std::string& location);

// Whether the type is, or contains, a class of torch.classes, whose methods are compiled C++ code.
[[nodiscard]] bool has_compiled_class(const c10::Type& type);

}  // namespace hansa::learning
