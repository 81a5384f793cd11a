#include "learning/internal/local_optimizer.h"

#include <cstdint>
#include <vector>

#include "learning/internal/adam.h"
#include "learning/internal/sgd.h"

namespace hansa::learning {
namespace {

using Vectors = std::vector<std::vector<float>>;

Vectors zeros(std::span<const std::size_t> sizes) {
  Vectors out;
  for (const std::size_t size : sizes) out.emplace_back(size, 0.0F);
  return out;
}

class Sgd final : public LocalOptimizerState {
 public:
  Sgd(const TrainingConfig& config, std::span<const std::size_t> sizes)
      : constants_{static_cast<float>(config.learning_rate), static_cast<float>(config.momentum),
                   static_cast<float>(config.weight_decay), config.nesterov && config.momentum > 0},
        velocities_(config.momentum == 0 ? Vectors(sizes.size()) : zeros(sizes)) {}
  void begin_step() override {}
  void apply(std::size_t parameter, std::span<float> weights, std::span<const float> gradient) override {
    sgd_step(weights, gradient, velocities_[parameter], constants_);
  }

 private:
  SgdConstants constants_;
  Vectors velocities_;
};

class Adam final : public LocalOptimizerState {
 public:
  Adam(const TrainingConfig& config, std::span<const std::size_t> sizes)
      : constants_{config.learning_rate, config.beta1,        config.beta2,
                   config.epsilon,       config.weight_decay, config.optimizer == LocalOptimizer::adamw},
        first_(zeros(sizes)),
        second_(zeros(sizes)) {}
  void begin_step() override { ++step_; }
  void apply(std::size_t parameter, std::span<float> weights, std::span<const float> gradient) override {
    adam_step(weights, gradient, first_[parameter], second_[parameter], step_, constants_);
  }

 private:
  AdamConstants constants_;
  std::uint64_t step_ = 0;
  Vectors first_, second_;
};

}  // namespace

std::unique_ptr<LocalOptimizerState> make_local_optimizer(const TrainingConfig& config,
                                                          std::span<const std::size_t> sizes) {
  if (config.optimizer == LocalOptimizer::sgd) return std::make_unique<Sgd>(config, sizes);
  return std::make_unique<Adam>(config, sizes);
}

std::size_t vectors_of_optimizer(const TrainingConfig& config) {
  if (config.optimizer != LocalOptimizer::sgd) return 2;
  return config.momentum == 0 ? 0 : 1;
}

}  // namespace hansa::learning
