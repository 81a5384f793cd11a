// FedRep (Collins et al., ICML 2021, algorithm 1, ClientUpdate): the head h_i, which is the personal parameters, is trained for
// tau_h epochs ("head_epochs") with the body B fixed, then the body with the head fixed:
//   h_i <- h_i - eta grad_h f_i(h_i, B), tau_h times;   B_i <- B - eta grad_B f_i(h_i, B)
// The body is trained for the epochs of the task, where the paper makes one step. steps_max limits each of the two parts.
// The weight, the loss and the accuracy are those of the second part.
#include <algorithm>
#include <memory>
#include <utility>

#include "common/random.h"
#include "learning/internal/training_loop.h"
#include "learning/methods/method.h"

namespace hansa::learning {
namespace {

class FedRep final : public TrainingMethod {
 public:
  [[nodiscard]] const MethodDescription& description() const override {
    static const MethodDescription& found = *find_method(built_in_methods(), "fedrep");
    return found;
  }
  [[nodiscard]] Result<TrainingResult> train(const MethodTask& task) const override {
    const Method& method = task.request.method;
    const TrainingConfig body = training_config(description(), method);
    TrainingConfig head = body;
    head.epochs = static_cast<std::uint32_t>(number_option(description(), method, "head_epochs"));
    const std::vector<bool> personal = task.model.personal_trainables();
    std::vector<bool> shared = personal;
    shared.flip();
    if (std::ranges::find(personal, true) == personal.end() ||
        std::ranges::find(shared, true) == shared.end())
      return fail(ErrorCode::model, task.model.location(),
                  "has no trainable parameter among those that are personal, or none among the others",
                  "list the parameters of the last layers in model.personal");
    const std::uint64_t seed = derive_seed(task.request.seed, "the head of FedRep");
    HANSA_TRY(const Trained first,
              run_training(task.model, task.source,
                           {.config = head, .seed = seed, .stop = task.stop, .frozen = shared}));
    HANSA_TRY(
        Trained second,
        run_training(task.model, task.source,
                     {.config = body, .seed = task.request.seed, .stop = task.stop, .frozen = personal}));
    second.result.samples += first.result.samples;
    second.result.train_seconds += first.result.train_seconds;
    return std::move(second.result);
  }
};

}  // namespace

std::unique_ptr<const TrainingMethod> make_fed_rep() { return std::make_unique<FedRep>(); }

}  // namespace hansa::learning
