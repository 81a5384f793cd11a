// The setup of one secure sum, which the aggregator announces, and the context, which binds all later messages to it.
//
// Every key advert signs the setup's digest. The context is a digest of the setup, the roster and the graph's
// parameters; it is part of every later signature, key derivation and encrypted share. If an attempt of a round fails,
// the next attempt has another nonce, hence another context, and new keys.
#pragma once
#include <cstdint>
#include <optional>
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
// In the active model the graph is complete whatever the cohort (docs/secure-aggregation.md), and the encrypted shares
// of a client must fit into a message.
inline constexpr std::uint32_t active_clients_max = 500;

[[nodiscard]] constexpr std::uint32_t clients_max_of(const Assumptions& assumptions) {
  return assumptions.threat_model == ThreatModel::active ? active_clients_max : clients_max;
}

inline constexpr std::uint32_t levels_min = 2;
inline constexpr std::uint32_t levels_max = (1U << 24) - 1;

// How values become ring elements: quantise.h.
struct Quantisation {
  // The grid from -clip to +clip; a value becomes a ring element from 0 to levels. levels_min to levels_max.
  std::uint32_t levels = 255;
  std::uint32_t ring_bits = 12;  // the sum of the ring elements of all clients is below 2^ring_bits
  double clip = 1;  // weighted values beyond +-clip times their segment's scale are clipped; number_limits.h
  double weight_unit = 1;  // weights are multiples of it; number_limits.h
  bool rotated = false;  // values are rotated before they are rounded: codecs/shared_transform.h
  double fraction = 1;  // of the (rotated) values, the part that is summed; above 0, at most 1
  friend bool operator==(const Quantisation&, const Quantisation&) = default;
};

enum class SegmentKind : std::uint8_t {
  parameters,  // one ring element for each value, of few bits, possibly rotated
  statistics,  // written finely: quantise.h
};
inline constexpr SegmentKind last_segment_kind = SegmentKind::statistics;

// Consecutive values of a model's vector with a common scale, usually those of one parameter tensor or buffer.
struct Segment {
  std::uint64_t values = 0;
  double scale = 1;  // number_limits.h
  SegmentKind kind = SegmentKind::parameters;
  friend bool operator==(const Segment&, const Segment&) = default;
};
inline constexpr std::size_t segments_max = 1'024;
// A statistic takes up to 26 elements of a client's vector. Of a model with this number of values at most this many are
// statistics, so that the vector is at most a few times longer than the model.
[[nodiscard]] constexpr std::uint64_t statistics_max(std::uint64_t values) { return 4'096 + values / 16; }
// The segments of a sum. All are parameters if there would be more than statistics_max() statistics. If there are more
// than segments_max segments, neighbours are joined: those of one kind if that is enough, otherwise all, as parameters.
[[nodiscard]] std::vector<Segment> segments_of_sum(std::vector<Segment> segments);

struct SumSetup {
  std::string federation;
  RoundId round;
  std::uint32_t attempt = 0;
  Digest nonce;  // chosen by the aggregator, different in each attempt, also after a restart
  Digest model;  // the values of the global model from which the cohort starts: common/vector_digest.h
  // All else that determines an update and that every client must have in common (messages::digest_of_work). A client
  // that was given other work has another setup, hence another context, and its masks do not cancel.
  Digest work;
  std::vector<Segment> segments;  // cover the model's vector, in order
  std::uint32_t clients = 0;  // the number of invited clients, for which the ring is large enough
  Quantisation quantisation;
  std::vector<std::string> metrics;  // summed with the update, in this order
  Assumptions assumptions;
  std::uint32_t certificate_epoch = 1;  // of the federation: earlier certificates do not hold

  [[nodiscard]] std::uint64_t parameters() const;  // the number of values in the model
  [[nodiscard]] std::uint64_t statistics() const;  // those of them in segments of statistics
  [[nodiscard]] bool has_scales() const;  // false in the first round, when no scale is known
  // The transform of the vector before it is rounded. It is the same for all attempts of a round.
  [[nodiscard]] codecs::SharedTransform transform() const;
  [[nodiscard]] std::uint64_t ring_elements()
      const;  // the number of values after the transform, without statistics
  [[nodiscard]] Digest digest() const;
  // The digest of all that determines which ring elements an update becomes. It is the same for the attempts of a round
  // that differ in keys only.
  [[nodiscard]] Digest grid() const;
};

// The security that a client requires. It comes from the client's own configuration, never from the aggregator.
struct Policy {
  // With fewer contributors the client reveals no share.
  std::uint32_t clients_min = secure_aggregation::clients_min;
  ThreatModel threat_model = ThreatModel::honest_but_curious;
  double corrupt_min = 0.2;  // the fraction of the cohort that the setup must at least assume to be corrupt
  unsigned security_bits_min = 40;
  // The honest clients, at least honest_min_least, that each sum must contain. Empty: honest_min_of() the sum's model.
  std::optional<std::uint32_t> honest_min;
};

// Fails with `usage` if a number is out of range or the sum may overflow the ring.
[[nodiscard]] Result<void> check(const SumSetup& setup);
// Fails with `refused` if the setup is weaker than the policy requires.
[[nodiscard]] Result<void> check(const SumSetup& setup, const Policy& policy);
// Fails with `refused` unless a sum of `contributors`, of a roster of `clients`, has enough of them for the policy.
[[nodiscard]] Result<void> check_contributors(std::uint32_t contributors, std::uint32_t clients,
                                              const Assumptions& assumptions, const Policy& policy);

// `roster` is the SHA-256 of the encoded roster, which contains a nonce of every client. The context also seeds the
// graph.
[[nodiscard]] Digest context_of(const SumSetup& setup, const Digest& roster,
                                const GraphParameters& parameters);

}  // namespace hansa::secure_aggregation
