// Metrics for people, on one line.
#pragma once
#include <cstddef>
#include <string>

#include "common/training.h"

namespace hansa {

// The means of the first `most`, in the model's order: "accuracy 0.8123, loss 0.5120".
[[nodiscard]] std::string means_text(const Metrics& metrics, std::size_t most = 6);

}  // namespace hansa
