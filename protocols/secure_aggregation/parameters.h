// The parameters of the graph: k, the number of neighbours with which a client shares its secrets, and t, the number of
// shares that rebuild a secret.
//
// Small cohorts, and all cohorts if the aggregator may be active, have the complete graph (Bonawitz et al., CCS 2017).
// Above complete_graph_max clients the graph is a random k-regular one: a Harary graph, in which the neighbours of a
// client are the k/2 clients on either side of it on a circle of randomly ordered clients (Bell et al., CCS 2020,
// sections 3 and 4). k is the smallest even number, and t the smallest for it, such that:
//
//   secure   The graph of the clients that are neither corrupt nor dropped is connected, except with probability
//            2^-(security_bits + 1): a cut needs two runs of k/2 corrupt or dropped clients on the circle (union bound
//            over all pairs). No client has t or more corrupt neighbours, except with probability 2^-(security_bits +
//            1) over all clients: the number of corrupt neighbours is hypergeometric. An active aggregator may send
//            different survivors to different clients. Against it no client has more than 2t - k - 1 corrupt
//            neighbours, so that two disjoint sets cannot both reach t.
//   correct  Every client has t surviving neighbours, except with probability 2^-correctness_bits.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/error.h"

namespace hansa::secure_aggregation {

enum class ThreatModel : std::uint8_t {
  honest_but_curious,  // the aggregator follows the protocol and uses everything that it receives
  active,  // the aggregator may also deviate from the protocol (docs/security.md: what that leaves to it)
};

// The names in configuration files, indexed by the enumerators' values.
inline constexpr std::array<std::string_view, 2> threat_model_names{"honest_but_curious", "active"};
[[nodiscard]] constexpr ThreatModel threat_model_of(std::string_view name) {
  return name == threat_model_names[1] ? ThreatModel::active : ThreatModel::honest_but_curious;
}

struct Assumptions {
  ThreatModel threat_model = ThreatModel::honest_but_curious;
  double corrupt = 0.2;  // fraction of the cohort that colludes with the aggregator
  double dropout = 0.1;  // fraction of the cohort that does not answer in time
  unsigned security_bits = 40;
  unsigned correctness_bits = 20;
};

// The assumptions are in their range: `corrupt` and `dropout` from 0 to below 1. Fails with `usage`. The functions below
// require it.
[[nodiscard]] Result<void> check(const Assumptions& assumptions);
// The most corrupt clients in a cohort of this size: the fraction rounded up, and at least 1.
[[nodiscard]] std::uint32_t corrupt_clients(std::uint32_t clients, const Assumptions& assumptions);

struct GraphParameters {
  std::uint32_t clients = 0;
  std::uint32_t neighbours = 0;  // k; clients - 1: the complete graph
  std::uint32_t threshold = 0;  // t, among the k neighbours; in the complete graph among all clients
  [[nodiscard]] bool complete() const { return neighbours + 1 == clients; }
};

// With two, each could compute the other's update from the sum.
inline constexpr std::uint32_t clients_min = 3;
inline constexpr std::uint32_t complete_graph_max = 32;
inline constexpr std::uint32_t neighbours_max = 500;  // so that their shares fit into a message

// The number of honest clients that every sum must hide in. With 2, a single client that colludes with the aggregator
// leaves the sum of two others.
inline constexpr std::uint32_t honest_min_least = 2;
[[nodiscard]] constexpr std::uint32_t honest_min_of(ThreatModel model) {
  return model == ThreatModel::active ? 10 : 3;
}
// The clients without which a sum of a roster of `clients` is not unmasked: as many honest ones, and all corrupt ones.
[[nodiscard]] std::uint32_t contributors_min(std::uint32_t clients, const Assumptions& assumptions,
                                             std::optional<std::uint32_t> honest_min);
// The smallest cohort that has at least `honest_min` honest clients. Empty: that of the threat model.
[[nodiscard]] std::uint32_t cohort_min(const Assumptions& assumptions,
                                       std::optional<std::uint32_t> honest_min);

// The parameters for a cohort of this size. Fails with `quorum` if no parameters are secure and correct, because there
// are too few clients for the assumptions; with `usage` if the assumptions are out of range.
[[nodiscard]] Result<GraphParameters> choose_parameters(std::uint32_t clients,
                                                        const Assumptions& assumptions);

// The parameters of the k-regular graph for any number of clients. For tables.
[[nodiscard]] Result<GraphParameters> regular_graph_parameters(std::uint32_t clients,
                                                               const Assumptions& assumptions);

}  // namespace hansa::secure_aggregation
