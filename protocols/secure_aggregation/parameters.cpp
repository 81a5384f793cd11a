#include "protocols/secure_aggregation/parameters.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace hansa::secure_aggregation {
namespace {

double log_factorial(double n) { return std::lgamma(n + 1); }
double log_choose(double n, double k) { return log_factorial(n) - log_factorial(k) - log_factorial(n - k); }

// The number of marked clients among k that are drawn from n, of which `marked` are marked.
struct Hypergeometric {
  std::uint32_t n, marked, k;

  [[nodiscard]] std::uint32_t least() const { return k + marked > n ? k + marked - n : 0; }
  [[nodiscard]] std::uint32_t most() const { return std::min(k, marked); }
  [[nodiscard]] double probability(std::uint32_t x) const {
    return std::exp(log_choose(marked, x) + log_choose(n - marked, k - x) - log_choose(n, k));
  }
  // The least x with P[more than x] <= bound. The sum starts at the end of the tail, with the smallest terms.
  [[nodiscard]] std::uint32_t above_which_at_most(double bound) const {
    double tail = 0;
    std::uint32_t x = most();
    while (x > least() && tail + probability(x) <= bound) tail += probability(x--);
    return x;
  }
  // The greatest x with P[fewer than x] <= bound.
  [[nodiscard]] std::uint32_t below_which_at_most(double bound) const {
    double tail = 0;
    std::uint32_t x = least();
    while (x < most() && tail + probability(x) <= bound) tail += probability(x++);
    return x;
  }
};

struct Counts {
  std::uint32_t corrupt, dropped;
};

// The assumed fractions as numbers of clients. 1e-9 compensates for rounding: 0.1 of 100 must be ten.
Counts counts_of(std::uint32_t clients, const Assumptions& a) {
  return {corrupt_clients(clients, a), static_cast<std::uint32_t>(std::floor(a.dropout * clients + 1e-9))};
}

// The logarithm of a bound on the probability that the survivors' graph is disconnected.
double log_disconnected(std::uint32_t clients, std::uint32_t k, std::uint32_t bad) {
  if (k > bad) return -HUGE_VAL;
  const double pairs_of_gaps = std::log(clients) + std::log(clients - k - 1) - std::log(2);
  return pairs_of_gaps + log_factorial(bad) - log_factorial(bad - k) + log_factorial(clients - k) -
         log_factorial(clients);
}

Result<void> check_clients(std::uint32_t clients, const Assumptions& a) {
  HANSA_TRY_VOID(check(a));
  if (clients < clients_min)
    return fail(ErrorCode::quorum, "secure aggregation",
                "cannot hide the updates of " + std::to_string(clients) + " clients from each other",
                "a cohort needs at least " + std::to_string(clients_min));
  return {};
}

tl::unexpected<Error> none_found(std::uint32_t clients) {
  return fail(
      ErrorCode::quorum, "secure aggregation",
      "cannot be secure and correct with " + std::to_string(clients) + " clients under these assumptions",
      "use more clients, or assume fewer corrupt clients or dropouts");
}

}  // namespace

Result<void> check(const Assumptions& a) {
  const bool parts = a.corrupt >= 0 && a.dropout >= 0 && a.corrupt < 1 && a.dropout < 1;
  const auto within = [](unsigned bits) { return bits >= 1 && bits <= 80; };
  if (parts && within(a.security_bits) && within(a.correctness_bits)) return {};
  return fail(ErrorCode::usage, "secure_aggregation",
              "corrupt and dropout must be from 0 to below 1, and bits from 1 to 80");
}

// Rounded up, and at least one: the aggregator, which chooses the cohort, can put its only client into the smallest.
std::uint32_t corrupt_clients(std::uint32_t clients, const Assumptions& a) {
  return static_cast<std::uint32_t>(std::max(1.0, std::ceil(a.corrupt * clients - 1e-9)));
}

std::uint32_t contributors_min(std::uint32_t clients, const Assumptions& a,
                               std::optional<std::uint32_t> honest_min) {
  return std::max(clients_min,
                  honest_min.value_or(honest_min_of(a.threat_model)) + corrupt_clients(clients, a));
}

std::uint32_t cohort_min(const Assumptions& a, std::optional<std::uint32_t> honest_min) {
  std::uint32_t out = clients_min;
  // Ends: `corrupt` is below 1, so that each further client adds to the honest ones.
  while (out < contributors_min(out, a, honest_min)) ++out;
  return out;
}

Result<GraphParameters> regular_graph_parameters(std::uint32_t clients, const Assumptions& a) {
  HANSA_TRY_VOID(check_clients(clients, a));
  const auto [corrupt, dropped] = counts_of(clients, a);
  const double insecure = std::exp2(-(static_cast<double>(a.security_bits) + 1));
  const double incorrect = std::exp2(-static_cast<double>(a.correctness_bits));
  for (std::uint32_t k = 2; k + 1 < clients && k <= neighbours_max; k += 2) {
    if (log_disconnected(clients, k, corrupt + dropped) >= std::log(insecure)) continue;
    std::uint32_t too_few = Hypergeometric{clients, corrupt, k}.above_which_at_most(insecure / clients);
    const std::uint32_t reached =
        Hypergeometric{clients, clients - dropped, k}.below_which_at_most(incorrect / clients);
    // 2t > k + corrupt neighbours: t is more than half of their sum.
    if (a.threat_model == ThreatModel::active) too_few = (too_few + k) / 2;
    if (too_few < reached) return GraphParameters{clients, k, std::max(too_few + 1, 2U)};
  }
  return none_found(clients);
}

Result<GraphParameters> choose_parameters(std::uint32_t clients, const Assumptions& a) {
  if (clients > complete_graph_max && a.threat_model != ThreatModel::active)
    return regular_graph_parameters(clients, a);
  HANSA_TRY_VOID(check_clients(clients, a));
  if (clients > neighbours_max + 1) return none_found(clients);
  const auto [corrupt, dropped] = counts_of(clients, a);
  // The threshold is more than half even if the aggregator is honest but curious: at this size it costs nothing, and
  // any two sets of `threshold` clients have one in common.
  const std::uint32_t together = a.threat_model == ThreatModel::active ? clients + corrupt : clients;
  const std::uint32_t threshold = std::max(together / 2 + 1, corrupt + 1);
  if (threshold > clients - dropped) return none_found(clients);
  return GraphParameters{clients, clients - 1, threshold};
}

}  // namespace hansa::secure_aggregation
