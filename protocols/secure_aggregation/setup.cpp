#include "protocols/secure_aggregation/setup.h"

#include <cmath>

#include "protocols/secure_aggregation/internal/transcript.h"
#include "protocols/secure_aggregation/packing.h"

namespace hansa::secure_aggregation {
namespace {

tl::unexpected<Error> weaker(std::string what) {
  return fail(ErrorCode::refused, "secure aggregation", std::move(what),
              "the operator's [secure_aggregation] must be as strict as this client's");
}

}  // namespace

Digest SumSetup::digest() const {
  internal::Transcript out("hansa secagg setup 1");
  out.text(federation)
      .number(round.value, 4)
      .number(attempt, 4)
      .bytes(nonce.bytes)
      .bytes(model.bytes)
      .number(parameters, 8);
  out.number(clients, 4).number(quantisation.value_bits, 1).number(quantisation.ring_bits, 1);
  out.real(quantisation.clip).real(quantisation.weight_unit);
  out.number(metrics.size(), 2);
  for (const std::string& metric : metrics) out.text(metric);
  out.number(static_cast<std::uint8_t>(assumptions.threat_model), 1);
  out.real(assumptions.corrupt).real(assumptions.dropout);
  out.number(assumptions.security_bits, 1).number(assumptions.correctness_bits, 1);
  return out.digest();
}

Result<void> check(const SumSetup& setup) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::usage, "secure aggregation", what); };
  const Quantisation& q = setup.quantisation;
  if (setup.clients < clients_min || setup.clients > clients_max)
    return wrong("of too few or too many clients");
  if (setup.assumptions.threat_model == ThreatModel::active && setup.clients > active_clients_max)
    return wrong("against an active aggregator is for 500 clients at most");
  if (q.value_bits < 2 || q.value_bits > 24) return wrong("value_bits is not within 2 to 24");
  if (q.ring_bits > 32 || q.ring_bits < ring_bits(setup.clients, q.value_bits))
    return wrong("the sum of all clients does not fit into the ring");
  for (const double number : {q.clip, q.weight_unit})
    if (!std::isfinite(number) || number <= 0) return wrong("clip or weight_unit is not a positive number");
  return {};
}

Result<void> check(const SumSetup& setup, const Policy& policy) {
  const Assumptions& a = setup.assumptions;
  if (setup.clients < policy.clients_min)
    return weaker("of " + std::to_string(setup.clients) + " clients is less than the " +
                  std::to_string(policy.clients_min) + " that this client asks for");
  if (policy.threat_model == ThreatModel::active && a.threat_model != ThreatModel::active)
    return weaker("trusts the aggregator to follow the protocol, which this client does not");
  if (!(a.corrupt >= policy.corrupt_min))
    return weaker("assumes fewer corrupt clients than this client does");
  if (a.security_bits < policy.security_bits_min)
    return weaker("has a larger statistical risk than this client takes");
  return {};
}

Digest context_of(const SumSetup& setup, const Digest& roster, const GraphParameters& parameters) {
  internal::Transcript out("hansa secagg context 1");
  out.bytes(setup.digest().bytes).bytes(roster.bytes);
  out.number(parameters.clients, 4).number(parameters.neighbours, 4).number(parameters.threshold, 4);
  return out.digest();
}

}  // namespace hansa::secure_aggregation
