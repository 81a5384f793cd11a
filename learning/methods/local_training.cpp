// Mini-batch SGD on the local examples: McMahan et al. 2017, algorithm 1, ClientUpdate.
#include <cassert>
#include <memory>

#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

class SgdMethod final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    const MethodDescription* found = find_method(built_in_methods(), "sgd");
    assert(found != nullptr);
    return *found;
  }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    return run_training(task.model, task.source, training_config(description(), task.request.method),
                        task.request.seed, task.stop);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_sgd() { return std::make_unique<SgdMethod>(); }

}  // namespace hansa::learning
