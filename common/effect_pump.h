// Carries out the effects of a pure state machine in order: the effects of each event are appended to a queue.
// Carrying out an effect may cause another event; its effects are appended to the same queue.
//
// Not thread-safe.
#pragma once
#include <deque>
#include <utility>
#include <vector>

namespace hansa {

template <class Effect>
class EffectPump {
 public:
  // apply(std::vector<Effect>&) passes one event to the machine, which appends its effects.
  template <class Apply>
  void feed(Apply&& apply) {
    std::vector<Effect> effects;
    std::forward<Apply>(apply)(effects);
    for (Effect& effect : effects) queue_.push_back(std::move(effect));
  }

  // Calls carry_out(Effect&) for each queued effect, including those added meanwhile, until none is left or
  // stopped() is true. If carry_out throws, its effect is lost and the rest stay queued.
  template <class CarryOut, class Stopped>
  void run(CarryOut&& carry_out, Stopped&& stopped) {
    while (!queue_.empty() && !stopped()) {
      Effect effect = std::move(queue_.front());
      queue_.pop_front();
      carry_out(effect);
    }
  }

 private:
  std::deque<Effect> queue_;
};

}  // namespace hansa
