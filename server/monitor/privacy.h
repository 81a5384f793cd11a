// What the aggregator can see in a configuration: `Privacy` of the API. Pure. Every sentence is one of docs/security.md
// ("The aggregator") or docs/secure-aggregation.md ("What each side learns"); a change there is a change here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/config/federation_config.h"

namespace hansa::server {

struct Seen {
  std::string what;  // "A client's update"
  bool visible = false;
  std::string detail;  // sentences
};
[[nodiscard]] std::vector<Seen> seen_by_aggregator(const FederationConfig& config);

// Of a cohort of cohort.clients_min clients. Empty without secure aggregation.
struct PrivacyThresholds {
  std::uint32_t clients_min = 0;
  std::uint32_t threshold = 0;  // clients whose shares rebuild a secret
  std::uint32_t corrupt = 0;  // clients that may collude with the aggregator
  std::uint32_t dropouts = 0;  // clients that may drop out
};
[[nodiscard]] std::optional<PrivacyThresholds> privacy_thresholds(const FederationConfig& config);

}  // namespace hansa::server
