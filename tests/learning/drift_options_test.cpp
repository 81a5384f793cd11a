// FedProx, SCAFFOLD, FedNova and FedDyn with the options of a step that all methods share: clipping, batches in parts, and learning
// rates that change from round to round.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/learning/drift_fixture.h"

namespace hansa::learning {
namespace {

using testing::Doubles;
using testing::doubles;
using testing::drift_cases;
using testing::elements;
using testing::expect_near;
using testing::nothing;
using testing::PlainSgd;

constexpr double mu = 0.7, alpha = 0.5;

struct DriftMethod {
  const char* name;
  std::vector<Option> own;
};
const std::vector<DriftMethod>& methods() {
  static const std::vector<DriftMethod> all{{"fedprox", {{"mu", mu}}},
                                            {"scaffold", {{"run", std::string("run-1")}}},
                                            {"fednova", {{"reference_steps", std::int64_t{5}}}},
                                            {"feddyn", {{"alpha", alpha}, {"run", std::string("run-1")}}}};
  return all;
}

class DriftOptions : public testing::DriftTest {
 protected:
  void set(const char* name, OptionValue value) {
    auto& options = request_.method.options;
    std::erase_if(options, [&](const Option& option) { return option.name == name; });
    options.push_back({name, std::move(value)});
  }

  // The second computation. What the device keeps after its last task, zero at first: c_i, or g_i.
  Doubles kept_ = Doubles(elements);

  // The trained weights; changes kept_. clip: changes the gradient that the optimiser gets.
  Doubles compute(const std::string& method, const PlainSgd& sgd, const std::function<void(Doubles&)>& clip) {
    const Doubles x = doubles(model_), c = doubles(control_), own = kept_;
    const auto correct = [&](const Doubles& w, Doubles& g) {
      for (std::size_t i = 0; i < elements; ++i) {
        if (method == "fedprox") g[i] += mu * (w[i] - x[i]);
        if (method == "scaffold") g[i] += c[i] - own[i];
        if (method == "feddyn") g[i] += alpha * (w[i] - x[i]) - own[i];
      }
      clip(g);
    };
    const Doubles y = descend(data_, x, sgd, correct, nothing);
    for (std::size_t i = 0; i < elements; ++i) {
      if (method == "scaffold") kept_[i] += (x[i] - y[i]) / (accumulated(sgd) * sgd.learning_rate) - c[i];
      if (method == "feddyn") kept_[i] -= alpha * (y[i] - x[i]);
    }
    return y;
  }
  // What the client sends of a change of the weights.
  static Doubles sent(const std::string& method, const PlainSgd& sgd, Doubles change) {
    if (method != "fednova") return change;
    PlainSgd reference = sgd;
    reference.steps = 5;
    for (double& value : change) value /= std::min(accumulated(sgd) / accumulated(reference), 4.0);
    return change;
  }
  // Trains, and compares the update and what is kept with the second computation.
  void expect_computed(
      const DriftMethod& method, const PlainSgd& sgd,
      const std::function<void(Doubles&)>& clip = [](Doubles&) {}) {
    const Doubles y = compute(method.name, sgd, clip);
    const TrainingResult trained = train();
    expect_near(delta_, sent(method.name, sgd, minus_model(y)), "delta");
    for (const auto& [name, vector] : trained.kept) {
      Doubles expected = kept_;
      if (name == "feddyn.drift")
        for (double& value : expected) value /= -alpha;
      expect_near(vector.values(), expected, name.c_str());
    }
    request_.kept = trained.kept;
  }
};

TEST_F(DriftOptions, GradientsAreClippedWithTheirCorrection) {
  constexpr double norm_max = 0.05, value_max = 0.03;
  for (const DriftMethod& method : methods())
    for (const double momentum : {0.0, 0.8}) {
      SCOPED_TRACE(std::string(method.name) + ", momentum " + std::to_string(momentum));
      const PlainSgd sgd{.learning_rate = 0.1, .momentum = momentum, .steps = 6};
      kept_.assign(elements, 0);
      request_.kept.clear();
      int clipped = 0;
      const auto clip = [&](Doubles& g) {
        double squares = 0;
        for (double& value : g) {
          value = std::clamp(value, -value_max, value_max);
          squares += value * value;
        }
        if (squares <= norm_max * norm_max) return;
        ++clipped;
        for (double& value : g) value *= norm_max / std::sqrt(squares);
      };
      for (int task = 0; task < 2; ++task) {
        use(method.name, sgd, method.own);
        set("clip_norm", norm_max);
        set("clip_value", value_max);
        expect_computed(method, sgd, clip);
      }
      EXPECT_GT(clipped, 0) << "this test shows nothing";
    }
}

// The correction belongs to a step, not to each part of its batch.
TEST_F(DriftOptions, PartsOfABatchEqualTheWhole) {
  for (const DriftMethod& method : methods())
    for (const auto& [name, sgd] : drift_cases)
      for (const std::int64_t parts : {2, 3}) {
        SCOPED_TRACE(std::string(method.name) + ", " + name + ", parts " + std::to_string(parts));
        kept_.assign(elements, 0);
        request_.kept.clear();
        for (int task = 0; task < 2; ++task) {
          use(method.name, sgd, method.own);
          set("accumulate", parts);
          expect_computed(method, sgd);
        }
      }
}

// A schedule gives each round a rate of its own, with which the device keeps its vector.
TEST_F(DriftOptions, EachRoundHasItsOwnLearningRate) {
  for (const DriftMethod& method : methods()) {
    SCOPED_TRACE(method.name);
    kept_.assign(elements, 0);
    request_.kept.clear();
    for (const double rate : {0.2, 0.05, 0.1}) {
      const PlainSgd sgd{.learning_rate = rate, .momentum = 0.5, .weight_decay = 0.02, .steps = 7};
      use(method.name, sgd, method.own);
      expect_computed(method, sgd);
    }
  }
}

}  // namespace
}  // namespace hansa::learning
