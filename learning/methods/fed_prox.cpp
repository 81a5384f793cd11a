// FedProx (Li et al., MLSys 2020, equation 2): each client minimises its own loss plus (mu / 2) |w - w_global|^2, so that
// the gradient of each step has in addition mu (w - w_global). With mu = 0 it is mini-batch SGD, bit for bit.
//
// The term is part of the gradient before momentum and clipping. Personal parameters have no global value and no term.
#include <memory>
#include <optional>
#include <utility>

#include "learning/internal/proximal_pull.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

class FedProx final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    return *find_method(built_in_methods(), "fedprox");
  }
  [[nodiscard]] std::size_t vectors_held() const override { return 1; }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const TrainingConfig config = training_config(description(), task.request.method);
    const double mu = number_option(description(), task.request.method, "mu");
    std::optional<ProximalPull> pull;
    if (mu > 0) pull.emplace(task.model, task.request.inputs.front().values, mu);
    HANSA_TRY(Trained trained, run_training(task.model, task.source,
                                            {.config = config,
                                             .seed = task.request.seed,
                                             .stop = task.stop,
                                             .hook = pull ? &*pull : nullptr}));
    return std::move(trained.result);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_fed_prox() { return std::make_unique<FedProx>(); }

}  // namespace hansa::learning
