#include "common/metrics_text.h"

#include <fmt/core.h>

namespace hansa {

std::string mean_text(const Metric& metric) {
  return metric.count > 0 ? fmt::format("{:.4f}", metric.sum / metric.count) : "-";
}

std::string mean_text(const Metrics& metrics, std::string_view name) {
  const auto mean = mean_of(metrics, name);
  return mean ? mean_text({"", *mean, 1}) : "-";
}

std::string means_text(const Metrics& metrics, std::size_t metrics_max) {
  std::string out;
  std::size_t shown = 0;
  for (const Metric& metric : metrics) {
    if (metric.count <= 0) continue;
    if (shown++ == metrics_max) break;
    out += (out.empty() ? "" : ", ") + metric.name + " " + mean_text(metric);
  }
  return out;
}

}  // namespace hansa
