// The operators that a model's code may use: the one list, for clients, aggregator and tools.
//
// It has PyTorch's layers, losses, arithmetic, tensor operations and control flow. It has nothing that reads or writes
// files, prints, reaches other processes, returns memory that was not initialised, changes settings of the process, or
// comes from another library.
#pragma once
#include <string_view>

namespace hansa::learning {

// `kind` is a qualified name: "aten::conv2d".
[[nodiscard]] bool is_allowed_operator(std::string_view kind);

// For an operator that is not allowed: what it does ("reads files"), and what to use instead.
struct OperatorAdvice {
  std::string_view what;
  std::string_view hint;
};
[[nodiscard]] OperatorAdvice advice_on_operator(std::string_view kind);

}  // namespace hansa::learning
