// Holders that reveal wrong shares, and owners that deal them: sums open, and the right clients are named.
#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/secure_aggregation/share_decoding.h"
#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation {
namespace {

using testing::Cohort;
using testing::Leaves;
using testing::SumRun;

Secret32 random_secret(Random& random) {
  Secret32 out;
  for (auto& byte : out.bytes()) byte = static_cast<std::uint8_t>(random.below(256));
  return out;
}

struct Dealt {
  std::vector<ShareIndex> holders;
  std::vector<Secret32> shares;
  [[nodiscard]] std::vector<const Secret32*> pointers() const {
    std::vector<const Secret32*> out;
    for (const Secret32& share : shares) out.push_back(&share);
    return out;
  }
};

// The shares of a random subset of holders.
Dealt deal(std::uint32_t holders, std::uint32_t threshold, std::size_t revealed, Random& random) {
  const auto all = *split_secret(random_secret(random), threshold, holders);
  std::vector<ShareIndex> order(holders);
  std::iota(order.begin(), order.end(), ShareIndex{1});
  random.shuffle(std::span(order));
  Dealt out;
  for (std::size_t i = 0; i < revealed; ++i) {
    out.holders.push_back(order[i]);
    out.shares.push_back(all[order[i] - 1U].copy());
  }
  return out;
}

// The wrong shares that one of the two hashes finds. A wrong share escapes one hash with probability 2^-16, and the
// shares of this test differ in each run.
std::vector<std::size_t> found_by_two_hashes(const Dealt& dealt, std::uint32_t threshold) {
  std::set<std::size_t> out;
  for (const auto salt : {std::uint8_t{0}, std::uint8_t{1}}) {
    const auto wrong = find_wrong_shares(dealt.holders, dealt.pointers(), threshold, salt);
    EXPECT_TRUE(wrong);
    if (wrong) out.insert(wrong->begin(), wrong->end());
  }
  return {out.begin(), out.end()};
}

TEST(AdversaryShares, EveryNumberOfWrongSharesThatDecodingAllowsIsFound) {
  Random random(1);
  for (int run = 0; run < 400; ++run) {
    const auto threshold = static_cast<std::uint32_t>(1 + random.below(12));
    const auto wrong = random.below(6);
    const std::size_t revealed = threshold + 2 * wrong + random.below(2);
    const auto holders = static_cast<std::uint32_t>(revealed + random.below(5));
    Dealt dealt = deal(holders, threshold, revealed, random);
    std::vector<std::size_t> liars(revealed);
    std::iota(liars.begin(), liars.end(), 0);
    random.shuffle(std::span(liars));
    liars.resize(wrong);
    std::ranges::sort(liars);
    for (const std::size_t liar : liars) {
      // All elements, a single one, or a bit.
      if (random.chance(0.3)) dealt.shares[liar] = random_secret(random);
      else dealt.shares[liar].bytes()[random.below(32)] ^= static_cast<std::uint8_t>(1 + random.below(255));
    }
    EXPECT_EQ(found_by_two_hashes(dealt, threshold), liars) << "run " << run;
  }
}

TEST(AdversaryShares, MoreWrongSharesThanDecodingAllowsAreNotMistakenForFewer) {
  Random random(2);
  for (int run = 0; run < 200; ++run) {
    Dealt dealt = deal(12, 6, 12, random);
    for (std::size_t i = 0; i < 5; ++i) dealt.shares[i] = random_secret(random);
    EXPECT_FALSE(find_wrong_shares(dealt.holders, dealt.pointers(), 6));
  }
  const Dealt few = deal(5, 4, 3, random);
  EXPECT_FALSE(find_wrong_shares(few.holders, few.pointers(), 4));
}

// Two liars that know which shares are interpolated, and choose errors that cancel at 0 in that set.
TEST(AdversaryShares, ErrorsThatCancelInTheSecretAreFoundNevertheless) {
  Random random(3);
  Dealt dealt = deal(10, 6, 10, random);
  // Errors proportional to the inverse Lagrange coefficients of the first two of the first six holders.
  const auto coefficient = [&](std::size_t at) {
    std::uint16_t out = 1;
    for (std::size_t j = 0; j < 6; ++j)
      if (j != at)
        out = field_multiply(
            out, field_multiply(dealt.holders[j], field_invert(dealt.holders[j] ^ dealt.holders[at])));
    return out;
  };
  const auto secret_of = [&] {
    const auto pointers = dealt.pointers();
    return Interpolation::create(std::span(dealt.holders).first(6))->rebuild(std::span(pointers).first(6));
  };
  const Secret32 before = secret_of();
  for (const std::size_t liar : {0, 1}) {
    const std::uint16_t error = field_invert(coefficient(liar));
    dealt.shares[liar].bytes()[0] ^= static_cast<std::uint8_t>(error);
    dealt.shares[liar].bytes()[1] ^= static_cast<std::uint8_t>(error >> 8);
  }
  ASSERT_EQ(secret_of(), before) << "the errors cancel";
  EXPECT_EQ(find_wrong_shares(dealt.holders, dealt.pointers(), 6), (std::vector<std::size_t>{0, 1}));
}

// How a client lies when it answers.
using Lie = std::function<void(UnmaskShares&, Random&)>;
void garble_all(UnmaskShares& answer, Random& random) {
  for (Secret32& share : answer.shares) share = random_secret(random);
}
void garble_one(UnmaskShares& answer, Random& random) {
  answer.shares[random.below(answer.shares.size())] = random_secret(random);
}
// The same error in one element of each share: decoding several secrets together would not help.
void shift_all(UnmaskShares& answer, Random&) {
  for (Secret32& share : answer.shares) share.bytes()[7] ^= 64;
}

struct Fixture {
  Fixture(std::uint32_t clients, ThreatModel model, std::uint64_t seed)
      : cohort(clients), sum(cohort, testing::small_setup(clients, model), seed), random(seed) {}

  OpenedMasks open(const std::map<std::size_t, Lie>& liars, std::vector<std::size_t> silent = {}) {
    EXPECT_TRUE(sum.adverts(random) && sum.shares(random));
    masked.emplace(*sum.masked(random));
    EXPECT_TRUE(sum.signatures(random));
    for (const std::size_t i : sum.order(random)) {
      if (!sum.survives(i) || std::ranges::find(silent, i) != silent.end()) continue;
      auto answer = *sum.clients[i].on_unmask(sum.aggregator.request());
      if (const auto lie = liars.find(i); lie != liars.end()) lie->second(answer, random);
      EXPECT_TRUE(sum.aggregator.on_answer(sum.at(i), std::move(answer)));
    }
    return open_masks(sum.aggregator.revealed(), OpeningEffort::all);
  }
  void expect_sum(const OpenedMasks& opened) {
    ASSERT_TRUE(opened.terms) << opened.terms.error().text();
    EXPECT_TRUE(std::ranges::equal(*masked->unmask(*opened.terms, 1), sum.plain_sum()));
  }
  // For each client, with how many others it is in contradiction.
  std::map<std::size_t, std::size_t> contradictions(const OpenedMasks& opened) {
    std::map<std::size_t, std::size_t> out;
    for (std::size_t i = 0; i < cohort.names.size(); ++i)
      for (const WrongShare& w : opened.wrong)
        if (w.owner != w.holder && (w.owner == sum.at(i) || w.holder == sum.at(i))) ++out[i];
    return out;
  }

  Cohort cohort;
  SumRun sum;
  Random random;
  std::optional<MaskedSum> masked;
};

TEST(AdversaryShares, LiarsBelowTheBoundNeverPreventUnmaskingAndAreNamed) {
  struct Case {
    std::uint32_t clients;
    ThreatModel model;
    std::size_t liars;
  };
  std::uint64_t seed = 0;
  for (const Case& c :
       {Case{4, ThreatModel::honest_but_curious, 1}, Case{10, ThreatModel::honest_but_curious, 2},
        Case{10, ThreatModel::active, 2}, Case{32, ThreatModel::honest_but_curious, 2},
        Case{32, ThreatModel::honest_but_curious, 7}, Case{32, ThreatModel::active, 6}})
    for (const Lie& lie : {Lie(garble_all), Lie(shift_all)})
      for (const bool with_dropout : {false, true}) {
        Fixture run(c.clients, c.model, ++seed);
        // The dropout needs a place: t + 2f of those that are left.
        if (with_dropout && (c.clients < 32 || c.liars > 2)) continue;
        if (with_dropout) run.sum.leaves[c.clients - 1] = Leaves::before_masked;
        std::map<std::size_t, Lie> liars;
        for (std::size_t i = 0; i < c.liars; ++i) liars[i] = lie;
        const OpenedMasks opened = run.open(liars);
        run.expect_sum(opened);
        EXPECT_TRUE(opened.dealers.empty());
        const std::uint32_t bound = run.sum.aggregator.contradictors_max();
        for (const auto& [client, count] : run.contradictions(opened)) {
          if (liars.contains(client)) EXPECT_GT(count, bound) << "client " << client << " of " << c.clients;
          else EXPECT_LE(count, bound) << "client " << client << " is honest";
        }
        EXPECT_FALSE(opened.wrong.empty() && c.liars >= 6);
      }
}

TEST(AdversaryShares, ASingleWrongShareOpensAndAccusesNobodyAlone) {
  Fixture run(10, ThreatModel::honest_but_curious, 5);
  const OpenedMasks opened = run.open({{3, garble_one}, {4, garble_one}});
  run.expect_sum(opened);
  for (const auto& [client, count] : run.contradictions(opened)) EXPECT_LE(count, 2U) << client;
}

TEST(AdversaryShares, LiarsInARandomGraphDoNotPreventUnmasking) {
  Fixture run(60, ThreatModel::honest_but_curious, 6);
  ASSERT_FALSE(choose_parameters(60, run.sum.setup.assumptions)->complete());
  const OpenedMasks opened = run.open({{1, garble_all}, {20, garble_all}, {40, shift_all}});
  run.expect_sum(opened);
  for (const auto& [client, count] : run.contradictions(opened))
    EXPECT_TRUE(client == 1 || client == 20 || client == 40 || count <= 3) << client;
}

// A client that deals different polynomials makes honest holders look like liars: one contradiction each.
TEST(AdversaryShares, AnOwnerThatDealsWrongSharesCannotMakeHonestHoldersLookGuilty) {
  Fixture run(10, ThreatModel::honest_but_curious, 7);
  ASSERT_TRUE(run.sum.adverts(run.random) && run.sum.shares(run.random));
  run.masked.emplace(*run.sum.masked(run.random));
  const Position owner = run.sum.at(9);
  for (std::size_t i = 0; i < 10; ++i) {
    auto answer = *run.sum.clients[i].on_unmask(run.sum.aggregator.request());
    // What the holders 0 and 1 got from the owner. They reveal it as they must; all others come before their own.
    if (i < 2) answer.shares[owner - 1U] = random_secret(run.random);
    ASSERT_TRUE(run.sum.aggregator.on_answer(run.sum.at(i), std::move(answer)));
  }
  const OpenedMasks opened = open_masks(run.sum.aggregator.revealed(), OpeningEffort::all);
  run.expect_sum(opened);
  EXPECT_EQ(opened.wrong, (std::vector<WrongShare>{{owner, run.sum.at(0)}, {owner, run.sum.at(1)}}));
}

TEST(AdversaryShares, AnOwnerThatDealsToNobodyIsNamed) {
  Fixture run(10, ThreatModel::honest_but_curious, 8);
  ASSERT_TRUE(run.sum.adverts(run.random) && run.sum.shares(run.random));
  run.masked.emplace(*run.sum.masked(run.random));
  for (std::size_t i = 0; i < 10; ++i) {
    auto answer = *run.sum.clients[i].on_unmask(run.sum.aggregator.request());
    if (i < 5) answer.shares[run.sum.at(9) - 1U] = random_secret(run.random);
    ASSERT_TRUE(run.sum.aggregator.on_answer(run.sum.at(i), std::move(answer)));
  }
  const OpenedMasks opened = open_masks(run.sum.aggregator.revealed(), OpeningEffort::all);
  EXPECT_FALSE(opened.terms);
  EXPECT_EQ(opened.dealers, std::vector<Position>{run.sum.at(9)});
  EXPECT_TRUE(opened.wrong.empty());
}

// With fewer answers than decoding needs, sets of holders are tried; the work has a limit.
TEST(AdversaryShares, FewAnswersAreSearchedForASetWithoutLiars) {
  Fixture run(10, ThreatModel::honest_but_curious, 9);
  const OpenedMasks opened = run.open({{0, garble_all}, {1, garble_all}}, {8, 9});
  run.expect_sum(opened);
}

TEST(AdversaryShares, GarbageFromEverybodyEndsInAnErrorWithinTheLimits) {
  Fixture run(32, ThreatModel::active, 10);
  std::map<std::size_t, Lie> liars;
  for (std::size_t i = 0; i < 32; ++i) liars[i] = garble_all;
  const OpenedMasks opened = run.open(liars);
  ASSERT_FALSE(opened.terms);
  EXPECT_EQ(opened.terms.error().code, ErrorCode::quorum);
  EXPECT_TRUE(opened.wrong.empty()) << "nothing is certain";
}

}  // namespace
}  // namespace hansa::secure_aggregation
