#include "common/metrics_text.h"

#include <algorithm>

#include <fmt/core.h>

namespace hansa {

std::string mean_text(const Metric& metric) {
  if (metric.count <= 0) return "-";
  return metric.name == new_examples_metric ? fmt::format("{:.0f}", metric.sum)
                                            : fmt::format("{:.4f}", metric.sum / metric.count);
}

std::string mean_text(const Metrics& metrics, std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &Metric::name);
  return found == metrics.end() ? "-" : mean_text(*found);
}

std::string means_text(const Metrics& metrics, std::size_t metrics_max) {
  std::string out;
  std::size_t shown = 0;
  for (const Metric& metric : metrics) {
    if (metric.count <= 0 || (metric.name == new_examples_metric && metric.sum == 0)) continue;
    if (shown++ == metrics_max) break;
    out += (out.empty() ? "" : ", ") + metric.name + " " + mean_text(metric);
  }
  return out;
}

}  // namespace hansa
