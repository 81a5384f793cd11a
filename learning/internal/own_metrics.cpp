#include "learning/internal/own_metrics.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>

namespace hansa::learning {
namespace {

[[noreturn]] void fail_return() {
  throw std::runtime_error("metrics(x, y) must return Dict[str, Tuple[float, float]] of sums and counts");
}

double number_of(const c10::IValue& value) {
  if (value.isDouble()) return value.toDouble();
  if (value.isInt()) return static_cast<double>(value.toInt());
  if (value.isTensor() && value.toTensor().numel() == 1) return value.toTensor().item<double>();
  fail_return();
}

}  // namespace

Metrics own_metrics_of(const c10::IValue& returned) {
  if (!returned.isGenericDict()) fail_return();
  Metrics out;
  for (const auto& entry : returned.toGenericDict()) {
    if (!entry.key().isString() || !entry.value().isTuple()) fail_return();
    const auto& pair = entry.value().toTupleRef().elements();
    if (pair.size() != 2) fail_return();
    out.push_back({entry.key().toStringRef(), number_of(pair[0]), number_of(pair[1])});
  }
  return out;
}

void add_metrics(const Metrics& of_batch, Metrics& sums) {
  for (const Metric& metric : of_batch) {
    const auto found = std::ranges::find(sums, metric.name, &Metric::name);
    Metric& sum = found == sums.end() ? sums.emplace_back(Metric{metric.name, 0, 0}) : *found;
    sum.sum += metric.sum;
    sum.count += metric.count;
  }
}

}  // namespace hansa::learning
