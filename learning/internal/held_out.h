// Measures a model on the examples that a device holds out. Includes LibTorch and throws its exceptions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>

#include "common/training.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

struct HeldOutRun {
  std::size_t batch_size = 1;  // that of the training, whose need of memory is known
  std::uint64_t seed = 0;  // for a model that draws random numbers also in evaluation
};

// Loss and accuracy of the values that the model holds, under these names of common/held_out_metrics.h. A mean loss
// that is no number is held_out_loss_most. Fails as training does. The model must be assigned again afterwards.
struct HeldOutNames {
  std::string_view loss;
  std::string_view accuracy;
};
[[nodiscard]] Result<Metrics> measure_held_out(Model& model, const DataSource& held_out,
                                               const HeldOutNames& names, const HeldOutRun& run,
                                               const std::stop_token& stop);

}  // namespace hansa::learning
