// What a model makes of examples before it decides: its representation(x), or what forward(x) returns. Includes LibTorch and
// throws its exceptions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <ATen/ATen.h>

#include "common/error.h"
#include "learning/data/data_source.h"
#include "learning/internal/model.h"

namespace hansa::learning {

// examples x values, float32. Fails (model) if the model returns no tensor of numbers with a row for each example.
[[nodiscard]] Result<at::Tensor> representation_of(Model& model, const Batch& batch);

struct RepresentationRun {
  std::size_t batch_size = 1;
  std::uint64_t seed = 0;  // for a model that draws random numbers also in evaluation
  const std::stop_token& stop;
};
// Of the values that the model holds, in evaluation mode and without gradients, for all examples in the source's order,
// without the random changes of training. Fails as training does. The model must be assigned again afterwards.
[[nodiscard]] Result<at::Tensor> representations(Model& model, const DataSource& source,
                                                 const RepresentationRun& run);

// Values of the representation of one example. Fails and costs as representations() of one example.
[[nodiscard]] Result<std::uint64_t> representation_size(Model& model, const DataSource& source,
                                                        const RepresentationRun& run);

}  // namespace hansa::learning
