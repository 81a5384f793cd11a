// Mini-batch training on the local examples: McMahan et al. 2017, algorithm 1, ClientUpdate, with SGD, Adam or AdamW.
//
// "fedbn" (Li et al., ICLR 2021, algorithm 1) and "fedper" (Arivazhagan et al. 2019, algorithm 1) are this training with SGD,
// where parts of the model are personal: the normalisation layers, which training_config() adds to the personal
// parameters, and what the operator lists.
#include <cassert>
#include <memory>
#include <string>
#include <utility>

#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

class LocalTraining final : public TrainingMethod {
 public:
  explicit LocalTraining(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] const MethodDescription& description() const override {
    const MethodDescription* found = find_method(built_in_methods(), name_);
    assert(found != nullptr);
    return *found;
  }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const TrainingConfig config = training_config(description(), task.request.method);
    HANSA_TRY(Trained trained,
              run_training(task.model, task.source,
                           {.config = config, .seed = task.request.seed, .stop = task.stop}));
    return std::move(trained.result);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_local_training(std::string name) {
  return std::make_unique<LocalTraining>(std::move(name));
}

}  // namespace hansa::learning
