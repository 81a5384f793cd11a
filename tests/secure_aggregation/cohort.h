// A whole cohort in memory, for tests: clients with certificates, an aggregator, and a plan of dropouts.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/aggregator.h"
#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/masked_sum.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::secure_aggregation::testing {

// The message after which a client drops out.
enum class Leaves : std::uint8_t {
  before_keys,
  before_shares,
  before_masked,
  before_signing,
  before_answer,
  never
};

inline SumSetup small_setup(std::uint32_t clients,
                            ThreatModel threat_model = ThreatModel::honest_but_curious) {
  SumSetup setup;
  setup.federation = "test";
  setup.round = RoundId(3);
  setup.attempt = 1;
  setup.model = sha256(std::string_view("model"));
  setup.segments = {{50, 1}};
  setup.clients = clients;
  setup.quantisation = {255, ring_bits(clients, 255), 0.5, 1.0};
  setup.assumptions.threat_model = threat_model;
  return setup;
}

// Accepts cohorts of three, and dropouts in small ones.
inline Policy small_policy() {
  Policy policy;
  policy.honest_min = honest_min_least;
  return policy;
}

struct Cohort {
  SigningKey root;
  std::vector<std::unique_ptr<SigningKey>> keys;
  std::vector<std::string> names;
  std::vector<Certificate> certificates;

  explicit Cohort(std::uint32_t clients, const std::string& federation = "test")
      : root(*SigningKey::generate()) {
    for (std::uint32_t i = 0; i < clients; ++i) {
      keys.push_back(std::make_unique<SigningKey>(*SigningKey::generate()));
      std::string number = std::to_string(i);
      names.push_back("client-" + std::string(4 - number.size(), '0') + number);
      certificates.push_back(
          *certify(root, federation, names.back(), keys.back()->public_key(), holds_always));
    }
  }
  [[nodiscard]] ClientIdentity identity(std::size_t i) const {
    return {names[i], keys[i].get(), root.public_key()};
  }
};

// The state after each phase, for tests that continue from it.
struct SumRun {
  const Cohort& cohort;
  SumSetup setup;
  AggregatorSum aggregator;
  std::vector<ClientSum> clients;
  std::vector<Leaves> leaves;
  std::vector<std::vector<std::uint32_t>> numbers;  // the ring elements that each client adds
  std::vector<std::vector<std::byte>> sent;  // the masked vectors

  static constexpr std::size_t elements = 50;

  SumRun(const Cohort& members, SumSetup s, std::uint64_t seed = 1)
      : cohort(members),
        setup(std::move(s)),
        aggregator(*AggregatorSum::begin(setup, cohort.certificates, honest_min_least)),
        leaves(members.names.size(), Leaves::never),
        numbers(members.names.size(), std::vector<std::uint32_t>(elements)),
        sent(members.names.size()) {
    Random random(seed);
    const std::uint64_t bound = std::uint64_t{setup.quantisation.levels} + 1;
    for (std::size_t i = 0; i < members.names.size(); ++i) {
      clients.push_back(*ClientSum::begin(setup, small_policy(), cohort.identity(i)));
      for (auto& number : numbers[i])
        // The extremes are frequent, because the ring must hold their sum.
        number = static_cast<std::uint32_t>(random.chance(0.3) ? bound - 1 : random.below(bound));
    }
  }
  [[nodiscard]] std::vector<std::size_t> order(Random& random) const {
    std::vector<std::size_t> out(clients.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i;
    random.shuffle(std::span(out));
    return out;
  }
  [[nodiscard]] Position at(std::size_t i) const { return *aggregator.position_of(cohort.names[i]); }

  Result<void> adverts(Random& random) {
    for (const std::size_t i : order(random))
      if (leaves[i] > Leaves::before_keys)
        HANSA_TRY_VOID(aggregator.on_advert(cohort.names[i], clients[i].advert()));
    return aggregator.fix_roster();
  }
  Result<void> shares(Random& random) {
    for (const std::size_t i : order(random))
      if (leaves[i] > Leaves::before_shares) {
        HANSA_TRY(auto shares, clients[i].on_roster(aggregator.encoded_roster(), UtcSeconds{}));
        HANSA_TRY_VOID(aggregator.on_shares(at(i), std::move(shares)));
      }
    HANSA_TRY_VOID(aggregator.fix_sharers());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (leaves[i] <= Leaves::before_shares) continue;
      if (const auto delivery = aggregator.delivery_for(at(i)))
        HANSA_TRY_VOID(clients[i].on_delivery(*delivery));
    }
    return {};
  }
  Result<std::vector<std::byte>> masked_vector(std::size_t i) const {
    std::vector<std::uint32_t> values = numbers[i];
    HANSA_TRY(const auto terms, clients[i].mask_terms());
    HANSA_TRY_VOID(apply_masks(values, terms, setup.quantisation.ring_bits));
    std::vector<std::byte> out(packed_bytes(values.size(), setup.quantisation.ring_bits));
    pack(values, setup.quantisation.ring_bits, out);
    return out;
  }
  Result<MaskedSum> masked(Random& random) {
    MaskedSum sum(aggregator.context(), aggregator.roster().size(), elements, setup.quantisation.ring_bits);
    for (const std::size_t i : order(random)) {
      if (leaves[i] <= Leaves::before_masked || !clients[i].can_mask()) continue;
      HANSA_TRY(sent[i], masked_vector(i));
      HANSA_TRY_VOID(aggregator.on_masked(at(i)));
      HANSA_TRY_VOID(sum.add(at(i), sent[i]));
    }
    HANSA_TRY_VOID(aggregator.fix_survivors());
    return sum;
  }
  [[nodiscard]] bool survives(std::size_t i) const {
    const auto position = aggregator.position_of(cohort.names[i]);
    return position && aggregator.survivors().has(*position);
  }
  Result<void> signatures(Random& random) {
    if (aggregator.phase() != AggregatorSum::Phase::signatures) return {};
    for (const std::size_t i : order(random)) {
      if (!survives(i) || leaves[i] <= Leaves::before_signing) continue;
      HANSA_TRY(const auto signature, clients[i].on_survivors(aggregator.survivors()));
      HANSA_TRY_VOID(aggregator.on_signature(at(i), signature));
    }
    return aggregator.fix_signatures();
  }
  Result<void> answers(Random& random) {
    const auto request = aggregator.request();
    for (const std::size_t i : order(random)) {
      if (!survives(i) || leaves[i] <= Leaves::before_answer) continue;
      HANSA_TRY(auto answer, clients[i].on_unmask(request));
      HANSA_TRY_VOID(aggregator.on_answer(at(i), std::move(answer)));
    }
    return {};
  }
  Result<std::vector<std::uint32_t>> whole(Random& random) {
    HANSA_TRY_VOID(adverts(random));
    HANSA_TRY_VOID(shares(random));
    HANSA_TRY(MaskedSum sum, masked(random));
    HANSA_TRY_VOID(signatures(random));
    HANSA_TRY_VOID(answers(random));
    if (!aggregator.can_unmask()) return fail(ErrorCode::quorum, "test", "too few answers");
    HANSA_TRY(const auto terms, open_masks(aggregator.revealed(), OpeningEffort::all).terms);
    HANSA_TRY(const auto plain, sum.unmask(terms, 2));
    return std::vector<std::uint32_t>(plain.begin(), plain.end());
  }
  [[nodiscard]] std::vector<std::uint32_t> plain_sum() const {
    std::vector<std::uint32_t> out(elements);
    for (std::size_t i = 0; i < clients.size(); ++i)
      if (survives(i))
        for (std::size_t e = 0; e < elements; ++e) out[e] += numbers[i][e];
    return out;
  }
};

}  // namespace hansa::secure_aggregation::testing
