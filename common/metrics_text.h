// Metrics as one line of text for people.
#pragma once
#include <cstddef>
#include <string>

#include "common/training.h"

namespace hansa {

// The means of the first metrics_max metrics, in the model's order: "accuracy 0.8123, loss 0.5120".
[[nodiscard]] std::string means_text(const Metrics& metrics, std::size_t metrics_max = 6);

}  // namespace hansa
