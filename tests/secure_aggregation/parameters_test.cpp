// Neighbours and thresholds: against a published parameter finder, and the properties that they guarantee.
#include "protocols/secure_aggregation/parameters.h"

#include <gtest/gtest.h>

namespace hansa::secure_aggregation {
namespace {

struct Row {
  std::uint32_t clients;
  ThreatModel threat_model;
  double dropout;
  std::uint32_t neighbours, threshold;
};

// Google's federated-compute (fcp/secagg/server), 20 % corrupt clients, security of 40 and correctness of 20 bits.
TEST(Parameters, ForTheRegularGraphEqualThePublishedOnes) {
  const auto curious = ThreatModel::honest_but_curious, active = ThreatModel::active;
  for (const Row& row : {
           Row{50, curious, 0.05, 14, 11}, {50, curious, 0.10, 16, 11},    {50, curious, 0.20, 22, 11},
           {50, curious, 0.30, 26, 11},    {50, active, 0.05, 16, 14},     {50, active, 0.10, 22, 17},
           {50, active, 0.20, 32, 22},     {100, curious, 0.05, 26, 20},   {100, curious, 0.10, 32, 21},
           {100, curious, 0.20, 40, 21},   {100, curious, 0.30, 48, 21},   {100, active, 0.05, 32, 27},
           {100, active, 0.10, 42, 32},    {100, active, 0.20, 62, 42},    {1000, curious, 0.05, 52, 37},
           {1000, curious, 0.10, 68, 44},  {1000, curious, 0.20, 98, 54},  {1000, curious, 0.30, 140, 67},
           {1000, active, 0.05, 90, 71},   {1000, active, 0.10, 140, 104}, {1000, active, 0.20, 302, 206},
       }) {
    Assumptions assumptions;
    assumptions.threat_model = row.threat_model;
    assumptions.dropout = row.dropout;
    const auto found = regular_graph_parameters(row.clients, assumptions);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->neighbours, row.neighbours) << row.clients << ' ' << row.dropout;
    EXPECT_EQ(found->threshold, row.threshold) << row.clients << ' ' << row.dropout;
  }
}

TEST(Parameters, SmallCohortsUseTheCompleteGraph) {
  for (std::uint32_t clients = clients_min; clients <= complete_graph_max; ++clients)
    for (const auto threat_model : {ThreatModel::honest_but_curious, ThreatModel::active}) {
      Assumptions assumptions;
      assumptions.threat_model = threat_model;
      const auto found = choose_parameters(clients, assumptions);
      ASSERT_TRUE(found) << clients << found.error().text();
      EXPECT_TRUE(found->complete());
      const auto corrupt = static_cast<std::uint32_t>(0.2 * clients + 1e-9);
      const auto dropped = static_cast<std::uint32_t>(0.1 * clients + 1e-9);
      EXPECT_GT(found->threshold, corrupt);
      EXPECT_LE(found->threshold, clients - dropped);
      EXPECT_GT(2 * found->threshold, clients + (threat_model == ThreatModel::active ? corrupt : 0));
    }
  EXPECT_FALSE(choose_parameters(complete_graph_max + 1, {})->complete());
}

TEST(Parameters, InsecureSettingsAreRefused) {
  EXPECT_EQ(choose_parameters(2, {}).error().code, ErrorCode::quorum);
  Assumptions assumptions;
  assumptions.dropout = 0.6;
  assumptions.corrupt = 0.5;
  EXPECT_EQ(choose_parameters(20, assumptions).error().code, ErrorCode::quorum);
  EXPECT_EQ(choose_parameters(200, assumptions).error().code, ErrorCode::quorum);
  assumptions.corrupt = -0.1;
  EXPECT_EQ(choose_parameters(20, assumptions).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace hansa::secure_aggregation
