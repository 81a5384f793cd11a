// How many neighbours a client shares its secrets with, and how many of them rebuild one.
//
// Complete graph (Bonawitz et al., CCS 2017): everybody with everybody. Above complete_graph_max clients, unless the
// aggregator may be active, a random k-regular graph: a Harary graph, in which each client's neighbours are the k/2 on either side of it on a circle, on
// randomly ordered clients (Bell et al., CCS 2020, sections 3 and 4). Then k and t are the smallest even k, and the
// smallest t for it, for which all of this holds:
//
//   secure   The graph of those who are neither corrupt nor dropped is connected, but with probability
//            2^-(security_bits + 1): a cut needs two runs of k/2 such clients on the circle (union bound over all pairs).
//            No client has t or more corrupt neighbours, but with probability 2^-(security_bits + 1) over all clients:
//            the number of corrupt neighbours is hypergeometric. Against an active aggregator, which may tell different
//            survivors to different clients, no client has more than 2t - k - 1 of them, so that two disjoint sets
//            cannot both reach t.
//   correct  Every client has t surviving neighbours, but with probability 2^-correctness_bits.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "common/error.h"

namespace hansa::secure_aggregation {

enum class ThreatModel : std::uint8_t {
  honest_but_curious,  // the aggregator follows the protocol, and looks at all it gets
  active,  // it may also lie
};

// As configuration files name them, by their values.
inline constexpr std::array<std::string_view, 2> threat_model_names{"honest_but_curious", "active"};
[[nodiscard]] constexpr ThreatModel threat_model_of(std::string_view name) {
  return name == threat_model_names[1] ? ThreatModel::active : ThreatModel::honest_but_curious;
}

struct Assumptions {
  ThreatModel threat_model = ThreatModel::honest_but_curious;
  double corrupt = 0.2;  // part of the cohort that works with the aggregator
  double dropout = 0.1;  // part of the cohort that does not answer in time
  unsigned security_bits = 40;
  unsigned correctness_bits = 20;
};

struct GraphParameters {
  std::uint32_t clients = 0;
  std::uint32_t neighbours = 0;  // k; clients - 1: the complete graph
  std::uint32_t threshold = 0;  // t, of the k neighbours; in the complete graph of all clients, oneself too
  [[nodiscard]] bool complete() const { return neighbours + 1 == clients; }
};

inline constexpr std::uint32_t clients_min = 3;  // of two, each knows the other's update from the sum
inline constexpr std::uint32_t complete_graph_max = 32;
inline constexpr std::uint32_t neighbours_max = 500;  // their shares fit into a message

// The parameters for a cohort of so many clients. Fails (quorum) where none are secure and correct: too few clients for
// these assumptions; fails (usage) if the assumptions make no sense.
[[nodiscard]] Result<GraphParameters> choose_parameters(std::uint32_t clients,
                                                        const Assumptions& assumptions);

// Of the k-regular graph, whatever the number of clients: for tables.
[[nodiscard]] Result<GraphParameters> regular_graph_parameters(std::uint32_t clients,
                                                               const Assumptions& assumptions);

}  // namespace hansa::secure_aggregation
