#include "common/metrics_text.h"

#include <fmt/core.h>

namespace hansa {

std::string means_text(const Metrics& metrics, std::size_t metrics_max) {
  std::string out;
  std::size_t shown = 0;
  for (const Metric& metric : metrics) {
    if (metric.count <= 0) continue;
    if (shown++ == metrics_max) break;
    out += fmt::format("{}{} {:.4f}", out.empty() ? "" : ", ", metric.name, metric.sum / metric.count);
  }
  return out;
}

}  // namespace hansa
