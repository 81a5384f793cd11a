// Measures a model on the examples that a device holds out. Includes LibTorch and throws its exceptions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/training.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct HeldOutRun {
  std::size_t batch_size = 1;  // that of the training, whose need of memory is known
  std::uint64_t seed = 0;  // for a model that draws random numbers also in evaluation
};

struct HeldOutNames {  // of common/held_out_metrics.h
  std::string_view loss;
  std::string_view accuracy;
};
// Loss and accuracy of the values that the model holds. A mean loss that is no number is held_out_loss_most. Fails as
// training does. The model must be assigned again afterwards.
[[nodiscard]] Result<Metrics> measure_held_out(Model& model, const DataSource& held_out,
                                               const HeldOutNames& names, const HeldOutRun& run,
                                               const std::stop_token& stop);

// The named values of the model's metrics(), under prefix + name. Each is the mean over all batches, with the number of
// examples as its count, so that the model's code chooses one number and not two; one whose mean is no number is left
// out. Fails if metrics() does not return one of them, and as training does. The model must be assigned again afterwards.
[[nodiscard]] Result<Metrics> measure_own_metrics(Model& model, const DataSource& held_out,
                                                  std::span<const std::string> metrics,
                                                  std::string_view prefix, const HeldOutRun& run,
                                                  const std::stop_token& stop);

}  // namespace hansa::learning
