#include "tools/metrics_json.h"

#include <nlohmann/json.hpp>

namespace hansa::tools {

nlohmann::json metrics_json(const Metrics& metrics) {
  nlohmann::json out = nlohmann::json::object();
  for (const Metric& metric : metrics)
    out[metric.name] = {{"mean", metric.count > 0 ? metric.sum / metric.count : 0.0},
                        {"sum", metric.sum},
                        {"count", metric.count}};
  return out;
}

}  // namespace hansa::tools
