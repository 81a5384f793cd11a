#include "tests/learning/two_layer_reference.h"

#include <cmath>
#include <stdexcept>

#include "learning/data/idx_file.h"

namespace hansa::learning::testing {

TwoLayerReference::TwoLayerReference(const DataConfig& data, TwoLayers shape) : shape_(shape) {
  const auto pair = read_idx_pair({data.images, data.labels});
  if (!pair) throw std::runtime_error(pair.error().text());
  const std::size_t size = pair->images.example_size();
  for (std::size_t i = 0; i < pair->images.example_count(); ++i) {
    Values& example = inputs_.emplace_back();
    for (std::size_t at = 0; at < size; ++at) example.push_back(pair->images.values[i * size + at] / 255.0);
    labels_.push_back(pair->labels.values[i]);
  }
}

std::vector<Values> TwoLayerReference::representations(const Values& values, Of of) const {
  const auto inputs = static_cast<std::size_t>(shape_.inputs),
             hidden = static_cast<std::size_t>(shape_.hidden),
             classes = static_cast<std::size_t>(shape_.classes);
  std::vector<Values> out;
  for (const Values& example : inputs_) {
    Values z(hidden, 0.0), scores(classes, 0.0);
    for (std::size_t h = 0; h < hidden; ++h) {
      for (std::size_t i = 0; i < inputs; ++i) z[h] += values[h * inputs + i] * example[i];
      z[h] = std::tanh(z[h]);
    }
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t h = 0; h < hidden; ++h) scores[c] += values[body_size() + c * hidden + h] * z[h];
    out.push_back(of == Of::hidden ? z : scores);
  }
  return out;
}

double TwoLayerReference::loss(const Values& values) const {
  const std::vector<Values> all = representations(values, Of::scores);
  double sum = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    double exponentials = 0;
    for (const double score : all[i]) exponentials += std::exp(score);
    sum += std::log(exponentials) - all[i][labels_[i]];
  }
  return sum / static_cast<double>(all.size());
}

Values TwoLayerReference::gradient(const Loss& loss, Values at) {
  constexpr double step = 1e-5;
  Values out;
  for (double& value : at) {
    const double here = value;
    value = here + step;
    const double above = loss(at);
    value = here - step;
    const double below = loss(at);
    value = here;
    out.push_back((above - below) / (2 * step));
  }
  return out;
}

}  // namespace hansa::learning::testing
