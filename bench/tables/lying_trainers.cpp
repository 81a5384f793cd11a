#include "bench/tables/lying_trainers.h"

#include <cmath>
#include <utility>

#include "common/random.h"

namespace hansa::bench {
namespace {

class LyingTrainer final : public learning::Trainer {
 public:
  LyingTrainer(Lie lie, std::shared_ptr<learning::Trainer> honest) : lie_(lie), honest_(std::move(honest)) {}
  [[nodiscard]] Result<learning::AvailableData> available_data(std::stop_token stop) override {
    return honest_->available_data(std::move(stop));
  }
  [[nodiscard]] const MethodTable& methods() const override { return honest_->methods(); }
  [[nodiscard]] Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                                       std::span<const learning::OutputVector> outputs,
                                                       std::stop_token stop) override {
    HANSA_TRY(auto result, honest_->train(request, outputs, std::move(stop)));
    for (const learning::OutputVector& output : outputs) change(output.values, request.seed);
    return result;
  }
  void release() override { honest_->release(); }

 private:
  void change(std::span<float> values, std::uint64_t seed) const {
    if (lie_ != Lie::gaussian) {
      for (float& value : values) value *= lie_ == Lie::sign ? -1.0F : -10.0F;
      return;
    }
    double squares = 0;
    for (const float value : values) squares += static_cast<double>(value) * value;
    const double deviation = 10 * std::sqrt(squares / static_cast<double>(values.size()));
    Random random(derive_seed(seed, "a lie"));
    for (float& value : values) value = static_cast<float>(deviation * random.normal());
  }

  Lie lie_;
  std::shared_ptr<learning::Trainer> honest_;
};

}  // namespace

std::shared_ptr<learning::Trainer> make_lying(Lie lie, std::shared_ptr<learning::Trainer> honest) {
  return std::make_shared<LyingTrainer>(lie, std::move(honest));
}

}  // namespace hansa::bench
