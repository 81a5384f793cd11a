#include "learning/internal/representation.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learning/internal/batch.h"
#include "learning/internal/training_loop.h"

namespace hansa::learning {

Result<at::Tensor> representation_of(Model& model, const Batch& batch) {
  const char* method = model.traits().has_representation ? "representation" : "forward";
  const c10::IValue value = model.representation(batch);
  if (!value.isTensor() || !value.toTensor().is_floating_point() || value.toTensor().dim() < 1 ||
      value.toTensor().size(0) != static_cast<std::int64_t>(batch.examples))
    return fail(ErrorCode::model, model.location(),
                std::string(method) + " returns no tensor with a row of numbers for each example",
                "give the model a representation(x) that returns [examples, values]",
                {ReasonCode::output_unfit, {}});
  return value.toTensor().reshape({value.toTensor().size(0), -1}).to(at::kFloat);
}

Result<at::Tensor> representations(Model& model, const DataSource& source, const RepresentationRun& run) {
  const at::NoGradGuard no_grad;
  const std::optional<RandomNumbersTurn> turn = take_turn(model, run.seed);
  model.set_training(false);
  std::vector<std::uint32_t> order(source.example_count());
  std::iota(order.begin(), order.end(), 0U);
  BatchReader reader(source, std::min(run.batch_size, order.size()), model.memory_order());
  at::Tensor out;
  for (std::size_t begin = 0; begin < order.size(); begin += run.batch_size) {
    if (run.stop.stop_requested())
      return fail(ErrorCode::resource, model.location(), "stopped", {}, {ReasonCode::stopped, {}});
    const auto places = following(order, begin, run.batch_size);
    HANSA_TRY(const Batch batch, reader.read(places));
    reader.prepare(following(order, begin + places.size(), run.batch_size), std::nullopt);
    HANSA_TRY(const at::Tensor rows, representation_of(model, batch));
    if (!out.defined()) out = at::empty({static_cast<std::int64_t>(order.size()), rows.size(1)});
    if (rows.size(1) != out.size(1))
      return fail(ErrorCode::model, model.location(),
                  "returns representations of different sizes for different examples",
                  "return as many values for every example", {ReasonCode::output_unfit, {}});
    out.narrow(0, static_cast<std::int64_t>(begin), rows.size(0)).copy_(rows);
  }
  return out;
}

Result<std::uint64_t> representation_size(Model& model, const DataSource& source,
                                          const RepresentationRun& run) {
  const at::NoGradGuard no_grad;
  const std::optional<RandomNumbersTurn> turn = take_turn(model, run.seed);
  model.set_training(false);
  BatchReader reader(source, 1, model.memory_order());
  const std::vector<std::uint32_t> first{0};
  HANSA_TRY(const Batch batch, reader.read(first));
  HANSA_TRY(const at::Tensor row, representation_of(model, batch));
  return static_cast<std::uint64_t>(row.size(1));
}

}  // namespace hansa::learning
