// Attacks by one client of a secure sum whose vector makes the mean useless. The masks hide which client it was, so
// that the sum as a whole is refused.
#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "server/aggregation/make_update_form.h"

namespace hansa::server {
namespace {

namespace sa = secure_aggregation;

constexpr std::uint32_t clients = 5;
constexpr std::size_t elements = 200;
constexpr std::uint64_t weight = 1'000;

class AdversarySum : public ::testing::Test {
 protected:
  AdversarySum() {
    setup_.clients = clients;
    setup_.segments = {{elements, 1.0}};
    setup_.quantisation = sa::first_quantisation(clients, weight);
    bounds_ = {clients * weight / 8.0, clients * weight * 4.0, 10};
  }
  [[nodiscard]] std::vector<std::uint32_t> vector_of(std::uint8_t client) const {
    Random random(client);
    std::vector<float> values(elements);
    for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
    std::vector<std::uint32_t> out(sa::vector_elements(setup_));
    Secret32 seed;
    seed.bytes()[0] = client;
    Metrics metrics{{"loss", 2.0 * client, 10}};
    for (const std::uint8_t with : with_accuracy_)
      if (with == client) metrics.push_back({"accuracy", 0.5, 1});
    EXPECT_TRUE(sa::quantise(values, weight, metrics, setup_, seed, out));
    return out;
  }
  // The outcome of a round in which `lie` changes the last client's vector. It knows the sum of the others' weights.
  Result<void> round(const std::function<void(std::vector<std::uint32_t>&)>& lie) {
    WorkerPool workers(1);
    SpoolPool spools({}, 1 << 20);
    const auto form = make_update_form({elements, nullptr, 8, {}}, workers, spools);
    const unsigned bits = setup_.quantisation.ring_bits;
    EXPECT_TRUE(form->begin(MaskedSetup{sha256("context"), clients, sa::vector_elements(setup_), bits}));
    sa::Subset survivors(clients);
    for (std::uint32_t i = 0; i < clients; ++i) {
      auto vector = vector_of(static_cast<std::uint8_t>(i));
      if (i + 1 == clients) lie(vector);
      for (std::uint32_t& element : vector) element &= (std::uint32_t{1} << bits) - 1;
      std::vector<std::byte> packed(sa::packed_bytes(vector.size(), bits));
      sa::pack(vector, bits, packed);
      UpdateTicket ticket{"client-" + std::to_string(i),
                          i,
                          packed.size(),
                          checksum(std::span<const std::byte>(packed)),
                          0,
                          0};
      EXPECT_TRUE(form->open(ticket));
      EXPECT_TRUE(form->append(ticket.client, packed));
      EXPECT_TRUE(form->count(ticket.client));
      survivors.insert(i);
    }
    const auto aggregate = form->finish(SumOpening{setup_, {}, survivors, bounds_});
    if (!aggregate) return tl::unexpected<Error>(aggregate.error());
    metrics_ = aggregate->totals.metrics;
    return {};
  }
  // Makes the total weight `total`, if the others are honest.
  void claim(std::vector<std::uint32_t>& vector, std::uint64_t total) const {
    const std::uint64_t base = std::uint64_t{setup_.quantisation.levels} + 1;
    std::uint64_t others = (clients - 1) * weight;
    for (std::size_t at = elements; total > 0 || others > 0; ++at) {
      vector[at] = static_cast<std::uint32_t>(total % base - others % base);
      total /= base;
      others /= base;
    }
  }

  sa::SumSetup setup_;
  SumBounds bounds_;
  std::vector<std::uint8_t> with_accuracy_;  // clients
  Metrics metrics_;  // of the last round
};

// A metric that one client reports is its value.
using AdversaryMetrics = AdversarySum;

TEST_F(AdversaryMetrics, OneThatFewClientsHaveIsNotShown) {
  setup_.metrics = {"loss", "accuracy"};
  bounds_.reporters_min = 4;
  for (const std::vector<std::uint8_t>& with : {std::vector<std::uint8_t>{2}, {0, 1, 2}}) {
    with_accuracy_ = with;
    ASSERT_TRUE(round([](auto&) {}));
    EXPECT_EQ(metrics_, (Metrics{{"loss", 20, 50}})) << with.size();
  }
  with_accuracy_ = {0, 1, 2, 3};
  ASSERT_TRUE(round([](auto&) {}));
  EXPECT_EQ(metrics_, (Metrics{{"loss", 20, 50}, {"accuracy", 2, 4}}));
}

// The names in the setup are the aggregator's. A client has no value for one that its method does not report.
TEST_F(AdversaryMetrics, OneThatNoMethodReportsIsZero) {
  setup_.metrics = {"loss", "patient-4711"};
  ASSERT_TRUE(round([](auto&) {}));
  EXPECT_EQ(metrics_, (Metrics{{"loss", 20, 50}}));
}

TEST_F(AdversaryMetrics, MoreReportersThanClientsAreRefused) {
  setup_.metrics = {"loss"};
  // Before the level of the one segment and its count: a digit each, because this grid has 2^18 levels.
  EXPECT_FALSE(round([&](auto& vector) { vector[vector.size() - 3] = setup_.quantisation.levels; }));
}

TEST_F(AdversarySum, HonestUpdatesAreWithinTheBounds) {
  const auto done = round([](auto&) {});
  EXPECT_TRUE(done) << done.error().text();
}

TEST_F(AdversarySum, AWeightThatMultipliesTheMeanIsRefused) {
  EXPECT_FALSE(round([&](auto& vector) { claim(vector, 1); }));
  EXPECT_FALSE(round([&](auto& vector) { claim(vector, clients); }));
}

TEST_F(AdversarySum, AWeightThatStopsAllLearningIsRefused) {
  EXPECT_FALSE(round([&](auto& vector) { claim(vector, std::uint64_t{1} << 40); }));
}

TEST_F(AdversarySum, AMeanBeyondTheLimitIsRefused) {
  bounds_.magnitude_max = 0.01F;
  EXPECT_FALSE(round([](auto&) {}));
}

TEST_F(AdversarySum, ARandomVectorDoesNotPassAsAnUpdate) {
  Random random(7);
  int refused = 0;
  for (int i = 0; i < 50; ++i)
    refused += round([&](auto& vector) {
      for (std::uint32_t& element : vector) element = static_cast<std::uint32_t>(random.next());
    })
                   ? 0
                   : 1;
  EXPECT_EQ(refused, 50);
}

}  // namespace
}  // namespace hansa::server
