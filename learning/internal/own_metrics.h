// What a model's own metrics(x, y) returns. Includes LibTorch and throws its exceptions.
#pragma once
#include <ATen/core/ivalue.h>

#include "common/training.h"

namespace hansa::learning {

// The result of metrics() for one batch: a dict of name -> (sum, count), as numbers or as tensors of one element.
// Throws std::runtime_error if it is anything else.
[[nodiscard]] Metrics own_metrics_of(const c10::IValue& returned);

void add_metrics(const Metrics& of_batch, Metrics& sums);

}  // namespace hansa::learning
