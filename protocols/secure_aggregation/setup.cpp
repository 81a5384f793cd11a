#include "protocols/secure_aggregation/setup.h"

#include <algorithm>

#include "common/transcript.h"
#include "protocols/secure_aggregation/number_limits.h"
#include "protocols/secure_aggregation/packing.h"

namespace hansa::secure_aggregation {
namespace {

constexpr std::uint64_t values_max = std::uint64_t{1} << 38;  // 2^40 bytes of float32

tl::unexpected<Error> weaker(std::string what) {
  return fail(ErrorCode::refused, "secure aggregation", std::move(what),
              "the operator's [secure_aggregation] must be as strict as this client's",
              {ReasonCode::policy_weaker, {}});
}

void append_grid(Transcript& out, const SumSetup& setup) {
  const Quantisation& q = setup.quantisation;
  out.number(q.levels, 4).number(q.ring_bits, 1).real(q.clip).real(q.weight_unit);
  out.number(q.rotated ? 1 : 0, 1).real(q.fraction);
  out.number(setup.segments.size(), 2);
  for (const Segment& segment : setup.segments)
    out.number(segment.values, 8).real(segment.scale).number(static_cast<std::uint8_t>(segment.kind), 1);
  out.number(setup.metrics.size(), 2);
  for (const std::string& metric : setup.metrics) out.text(metric);
}

// Each run of segments of one kind is divided into groups of up to `size` neighbours.
std::vector<Segment> grouped(const std::vector<Segment>& segments, std::size_t size) {
  std::vector<Segment> out;
  std::size_t in_group = 0;
  for (const Segment& segment : segments) {
    if (out.empty() || in_group == size || out.back().kind != segment.kind) {
      out.push_back(segment);
      in_group = 0;
    } else {
      out.back().values += segment.values;
    }
    ++in_group;
  }
  return out;
}

}  // namespace

std::vector<Segment> segments_of_sum(std::vector<Segment> segments) {
  const auto all_parameters = [&] {
    for (Segment& segment : segments) segment.kind = SegmentKind::parameters;
  };
  std::uint64_t values = 0, statistics = 0;
  for (const Segment& segment : segments) {
    values += segment.values;
    if (segment.kind == SegmentKind::statistics) statistics += segment.values;
  }
  if (statistics > statistics_max(values)) all_parameters();
  for (std::size_t size = 2; segments.size() > segments_max; size *= 2) {
    auto out = grouped(segments, size);
    if (out.size() == segments.size()) all_parameters();  // the kinds alternate
    else segments = std::move(out);
  }
  return segments;
}

std::uint64_t SumSetup::parameters() const {
  std::uint64_t out = 0;
  for (const Segment& segment : segments) out += segment.values;
  return out;
}

codecs::SharedTransform SumSetup::transform() const {
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < 8; ++i) seed |= std::uint64_t{model.bytes[i]} << (8 * i);
  return {quantisation.rotated, quantisation.fraction, seed};
}

std::uint64_t SumSetup::statistics() const {
  std::uint64_t out = 0;
  for (const Segment& segment : segments)
    if (segment.kind == SegmentKind::statistics) out += segment.values;
  return out;
}

bool SumSetup::has_scales() const {
  return std::ranges::any_of(segments, [](const Segment& segment) { return segment.scale != 1; });
}

std::uint64_t SumSetup::ring_elements() const {
  const codecs::SharedTransform shared = transform();
  std::uint64_t out = 0;
  for (const Segment& segment : segments)
    if (segment.kind == SegmentKind::parameters) out += shared.coefficients(segment.values);
  return out;
}

Digest SumSetup::grid() const {
  Transcript out("hansa secagg grid 2");
  out.number(round.value, 4);
  append_grid(out, *this);
  return out.digest();
}

Digest SumSetup::digest() const {
  Transcript out("hansa secagg setup 4");
  out.text(federation).number(round.value, 4).number(attempt, 4).bytes(nonce.bytes);
  out.bytes(model.bytes).bytes(work.bytes);
  out.number(clients, 4);
  append_grid(out, *this);
  out.number(static_cast<std::uint8_t>(assumptions.threat_model), 1);
  out.real(assumptions.corrupt).real(assumptions.dropout);
  out.number(assumptions.security_bits, 1).number(assumptions.correctness_bits, 1);
  out.number(certificate_epoch, 4);
  return out.digest();
}

Result<void> check(const SumSetup& setup) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::usage, "secure aggregation", what); };
  const Quantisation& q = setup.quantisation;
  if (setup.clients < clients_min || setup.clients > clients_max)
    return wrong("has too few or too many clients");
  if (setup.assumptions.threat_model == ThreatModel::active && setup.clients > active_clients_max)
    return wrong("allows at most 500 clients in the active model");
  if (q.levels < levels_min || q.levels > levels_max) return wrong("has too few or too many levels");
  if (q.ring_bits > 32 || q.ring_bits < ring_bits(setup.clients, q.levels))
    return wrong("has a ring that is too small for the sum of all clients");
  HANSA_TRY_VOID(check(setup.assumptions));
  HANSA_TRY_VOID(check_numbers(setup));
  if (setup.segments.empty() || setup.segments.size() > segments_max)
    return wrong("has too few or too many segments");
  std::uint64_t values = 0;
  for (const Segment& segment : setup.segments) {
    if (segment.values > values_max - values) return wrong("has more values than a model can have");
    values += segment.values;
  }
  if (setup.statistics() > statistics_max(values))
    return wrong("has too many statistics for its number of values");
  return {};
}

Result<void> check(const SumSetup& setup, const Policy& policy) {
  const Assumptions& a = setup.assumptions;
  if (policy.threat_model == ThreatModel::active && a.threat_model != ThreatModel::active)
    return weaker("assumes that the aggregator follows the protocol; this client does not");
  if (!(a.corrupt >= policy.corrupt_min))
    return weaker("assumes fewer corrupt clients than this client does");
  if (a.security_bits < policy.security_bits_min)
    return weaker("has a larger statistical risk than this client accepts");
  return check_contributors(setup.clients, setup.clients, a, policy);
}

Result<void> check_contributors(std::uint32_t contributors, std::uint32_t clients,
                                const Assumptions& assumptions, const Policy& policy) {
  if (contributors < policy.clients_min)
    return weaker("has " + std::to_string(contributors) + " clients, this client requires " +
                  std::to_string(policy.clients_min));
  const std::uint32_t needed = contributors_min(clients, assumptions, policy.honest_min);
  if (contributors >= needed) return {};
  const std::uint32_t corrupt = corrupt_clients(clients, assumptions);
  return weaker("has " + std::to_string(contributors) + " clients, of which " + std::to_string(corrupt) +
                " may be corrupt; this client requires " + std::to_string(needed - corrupt) + " honest ones");
}

Digest context_of(const SumSetup& setup, const Digest& roster, const GraphParameters& parameters) {
  Transcript out("hansa secagg context 1");
  out.bytes(setup.digest().bytes).bytes(roster.bytes);
  out.number(parameters.clients, 4).number(parameters.neighbours, 4).number(parameters.threshold, 4);
  return out.digest();
}

}  // namespace hansa::secure_aggregation
