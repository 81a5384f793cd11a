// A client whose examples are all equal, and logistic regression on it in double precision. Every batch of its data has the
// same gradient, so that a test can compute a training again without the trainer's order of examples.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace hansa::learning::testing {

using Doubles = std::vector<double>;

struct SingleExample {
  std::vector<double> features;
  std::size_t label = 0;
  std::size_t copies = 1;

  // Rows of a CSV file whose label is "y".
  [[nodiscard]] std::string csv() const {
    std::string head, row;
    for (std::size_t i = 0; i < features.size(); ++i) {
      char text[32];
      std::snprintf(text, sizeof text, "%.9g,", features[i]);
      head += "f" + std::to_string(i) + ",";
      row += text;
    }
    std::string out = head + "y\n";
    for (std::size_t i = 0; i < copies; ++i) out += row + std::to_string(label) + "\n";
    return out;
  }
  // Of the built-in model "logistic": the weights of each class, then the biases.
  [[nodiscard]] Doubles gradient(const Doubles& w) const {
    const std::size_t inputs = features.size(), classes = w.size() / (inputs + 1);
    Doubles scores(classes);
    for (std::size_t c = 0; c < classes; ++c) {
      scores[c] = w[classes * inputs + c];
      for (std::size_t i = 0; i < inputs; ++i) scores[c] += w[c * inputs + i] * features[i];
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (double& score : scores) total += score = std::exp(score - largest);
    Doubles out(w.size());
    for (std::size_t c = 0; c < classes; ++c) {
      const double error = scores[c] / total - (c == label ? 1 : 0);
      for (std::size_t i = 0; i < inputs; ++i) out[c * inputs + i] = error * features[i];
      out[classes * inputs + c] = error;
    }
    return out;
  }
};

struct PlainSgd {
  double learning_rate = 0.1;
  double momentum = 0;
  double weight_decay = 0;
  bool nesterov = false;
  std::size_t steps = 1;
};

// The weights after the steps. correct(w, g) changes a gradient, after(w) the weights after a step.
template <class Correct, class After>
Doubles descend(const SingleExample& data, Doubles w, const PlainSgd& sgd, const Correct& correct,
                const After& after) {
  Doubles velocity(w.size());
  for (std::size_t step = 0; step < sgd.steps; ++step) {
    Doubles g = data.gradient(w);
    correct(w, g);
    for (std::size_t i = 0; i < w.size(); ++i) {
      g[i] += sgd.weight_decay * w[i];
      velocity[i] = sgd.momentum * velocity[i] + g[i];
      w[i] -= sgd.learning_rate * (sgd.nesterov ? g[i] + sgd.momentum * velocity[i] : velocity[i]);
    }
    after(w);
  }
  return w;
}

// How often the gradients enter the weights, if all are equal: by the recursion itself.
inline double accumulated(const PlainSgd& sgd) {
  double velocity = 0, moved = 0;
  for (std::size_t step = 0; step < sgd.steps; ++step) {
    velocity = sgd.momentum * velocity + 1;
    moved += sgd.nesterov ? 1 + sgd.momentum * velocity : velocity;
  }
  return moved;
}

}  // namespace hansa::learning::testing
