// What an aggregator announces of one secure sum, and the contexts that bind everything to it.
//
// The setup's digest is signed in every key advert. The context adds the roster of adverts and the graph's parameters; it
// is in every signature, key derivation and encrypted share after that. An attempt is one try of a round: a try that
// failed is repeated with another nonce, so with another context, and with new keys.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "protocols/codecs/shared_transform.h"
#include "protocols/secure_aggregation/graph.h"
#include "protocols/secure_aggregation/parameters.h"

namespace hansa::secure_aggregation {

inline constexpr std::uint32_t clients_max = 1'000;
// Against an active aggregator the graph is the complete one whatever the cohort (see docs/secure-aggregation.md), and the
// encrypted shares of a client are to fit into a message.
inline constexpr std::uint32_t active_clients_max = 500;

[[nodiscard]] constexpr std::uint32_t clients_max_of(const Assumptions& assumptions) {
  return assumptions.threat_model == ThreatModel::active ? active_clients_max : clients_max;
}

inline constexpr std::uint32_t levels_min = 2;
inline constexpr std::uint32_t levels_max = (1U << 24) - 1;

// How values become numbers on the ring: quantise.h.
struct Quantisation {
  std::uint32_t levels =
      255;  // of the grid between -clip and +clip: a value's number is 0 to levels; levels_min to levels_max
  std::uint32_t ring_bits = 12;  // the sum of all clients' numbers is below 2^ring_bits
  double clip = 1;  // weighted values beyond +-clip times their segment's scale are clipped; above 0, finite
  double weight_unit = 1;  // weights are multiples of it; above 0, finite
  bool rotated = false;  // values are rotated before they are rounded: codecs/shared_transform.h
  double fraction = 1;  // of the (rotated) values that are summed; above 0, at most 1
  friend bool operator==(const Quantisation&, const Quantisation&) = default;
};

// Values of a model's vector that are of one size, usually a parameter tensor: in units of their scale.
struct Segment {
  std::uint64_t values = 0;
  double scale = 1;  // above 0, finite
  friend bool operator==(const Segment&, const Segment&) = default;
};
inline constexpr std::size_t segments_max = 1'024;

struct SumSetup {
  std::string federation;
  RoundId round;
  std::uint32_t attempt = 0;
  Digest nonce;  // of the aggregator: another one in each attempt, also after its restart
  Digest model;  // the global model from which the cohort starts
  std::vector<Segment> segments;  // of the model's vector, in its order
  std::uint32_t clients = 0;  // invited: the ring is made for as many
  Quantisation quantisation;
  std::vector<std::string> metrics;  // summed with the update, in this order
  Assumptions assumptions;

  [[nodiscard]] std::uint64_t parameters() const;  // of the model
  // Of the vector, before it is rounded: the same for all of a round's attempts.
  [[nodiscard]] codecs::SharedTransform transform() const;
  [[nodiscard]] std::uint64_t numbers() const;  // of the transformed vector
  [[nodiscard]] Digest digest() const;
};

// What a client is content with. It comes from its own configuration, never from the aggregator.
struct Policy {
  std::uint32_t clients_min =
      secure_aggregation::clients_min;  // fewer contributors: the client tells nothing
  ThreatModel threat_model = ThreatModel::honest_but_curious;
  double corrupt_min = 0.1;  // the part of the cohort that the aggregator must at least assume to be corrupt
  unsigned security_bits_min = 40;
};

// Fails (usage) if the numbers are out of range or overflow the ring.
[[nodiscard]] Result<void> check(const SumSetup& setup);
// Fails (refused) where the setup is less than the policy asks for.
[[nodiscard]] Result<void> check(const SumSetup& setup, const Policy& policy);

// roster: SHA-256 of the encoded roster, which has a nonce of every client in it. It seeds the graph too.
[[nodiscard]] Digest context_of(const SumSetup& setup, const Digest& roster,
                                const GraphParameters& parameters);

}  // namespace hansa::secure_aggregation
