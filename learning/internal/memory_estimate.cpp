#include "learning/internal/memory_estimate.h"

#include <algorithm>
#include <memory>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include "learning/internal/batch.h"
#include "learning/internal/local_optimizer.h"
#include "learning/internal/loss.h"
#include "learning/internal/representation.h"

namespace hansa::learning {
namespace {

#if TORCH_VERSION_MAJOR >= 2
using TotalBytes = std::size_t;
#else
using TotalBytes = std::int64_t;
#endif

// LibTorch reports the allocations and frees of the thread whose profiler state this object is.
class AllocationWatch final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t bytes, TotalBytes, TotalBytes, c10::Device) override {
    now_ += bytes;
    peak_ = std::max(peak_, now_);
  }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
  [[nodiscard]] std::uint64_t peak_bytes() const { return static_cast<std::uint64_t>(peak_); }

 private:
  std::int64_t now_ = 0;
  std::int64_t peak_ = 0;
};

Result<std::uint64_t> step_peak_bytes(Model& model, const DataSource& source,
                                      std::span<const std::uint32_t> examples, StepComputes step) {
  BatchReader reader(source, examples.size(), model.memory_order());
  HANSA_TRY(const Batch batch, reader.read(examples));
  const auto watch = std::make_shared<AllocationWatch>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
  HANSA_TRY(const LossOfBatch computed, loss_of_batch(model, batch, source));
  at::Tensor loss = computed.loss;
  if (step == StepComputes::loss_and_representation && model.traits().has_representation) {
    HANSA_TRY(const at::Tensor representation, representation_of(model, batch));
    loss = loss + representation.sum() * 0;
  }
  const auto gradients = torch::autograd::grad({loss}, model.leaves(), {}, {}, false, true);
  return watch->peak_bytes();
}

}  // namespace

Result<std::uint64_t> estimate_training_memory_bytes(Model& model, const DataSource& source,
                                                     const TrainingConfig& config, StepComputes step) {
  model.set_training(true);
  const std::vector<std::uint32_t> examples =
      source.example_count() > 1 ? std::vector<std::uint32_t>{0, 1} : std::vector<std::uint32_t>{0};
  const std::uint64_t vector_bytes = model.layout().element_count() * sizeof(float);
  HANSA_TRY(const std::uint64_t peak, step_peak_bytes(model, source, examples, step));
  // The gradients are part of the peak for any batch size; the remainder is proportional to the batch size.
  const std::uint64_t per_example = (peak > vector_bytes ? peak - vector_bytes : 0) / examples.size();
  const std::uint64_t batch = std::min<std::uint64_t>(config.batch_size, source.example_count());
  // A batch that is read ahead has memory of its own.
  const std::uint64_t inputs = source.shape().bytes() * batch * (source.decodes() ? 2 : 1);
  // Vectors held at the same time: weights, gradients, the global model, the delta, the local copy, those of the optimiser,
  // and the gradient of a batch of which another part is computed.
  const std::uint64_t vectors =
      vector_bytes * (5 + vectors_of_optimizer(config) + (config.accumulate > 1 ? 1 : 0));
  const std::uint64_t order = source.example_count() * sizeof(std::uint32_t);
  const std::uint64_t computed_at_once = (batch + config.accumulate - 1) / config.accumulate;
  return source.memory_bytes() + order + vectors + inputs + per_example * computed_at_once;
}

}  // namespace hansa::learning
