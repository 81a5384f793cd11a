// An aggregator that shows certificates which the operator has ended: of devices that were stolen, or are no longer in
// the federation.
#include <gtest/gtest.h>

#include "tests/secure_aggregation/cohort.h"

namespace hansa::secure_aggregation::testing {
namespace {

constexpr std::uint64_t day = 86'400;
constexpr UtcSeconds issued{1'800'000'000}, expires{issued.value + 400 * day};

class AdversaryCertificates : public ::testing::Test {
 protected:
  static constexpr std::uint32_t clients = 5;
  Cohort cohort{clients};
  SumSetup setup = small_setup(clients);

  // Certifies a client again. The aggregator chooses which of its certificates it shows.
  void certify_client(std::size_t i, const Validity& validity) {
    cohort.certificates[i] =
        *certify(cohort.root, setup.federation, cohort.names[i], cohort.keys[i]->public_key(), validity);
  }
  void certify_all(const Validity& validity) {
    for (std::size_t i = 0; i < clients; ++i) certify_client(i, validity);
  }
  // The first client gets the roster of all at this time of its clock.
  Result<void> show_roster(UtcSeconds now) {
    run.emplace(cohort, setup);
    Random random(1);
    HANSA_TRY_VOID(run->adverts(random));
    return shown(run->aggregator.roster(), now);
  }
  Result<void> shown(const Roster& roster, UtcSeconds now) {
    HANSA_TRY(const auto shares, run->clients[0].on_roster(encode(roster), now));
    return shares.size() == clients - 1 ? Result<void>()
                                        : fail(ErrorCode::internal, "test", "too few shares");
  }
  void expect_refused(const Result<void>& result, const std::string& reason) {
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().text().find(reason), std::string::npos) << result.error().text();
    EXPECT_EQ(result.error().reason.code, ReasonCode::certificate_outdated);
    EXPECT_TRUE(run->clients[0].failed());
  }
  std::optional<SumRun> run;
};

TEST_F(AdversaryCertificates, AnExpiredOneIsRefused) {
  certify_all({1, issued, expires});
  const auto good = show_roster({expires.value - 1});
  EXPECT_TRUE(good) << good.error().text();
  EXPECT_FALSE(run->clients[0].issued_after_now());
  expect_refused(show_roster(expires), "expired on 2028-02-19; renew it: hansa keys certify");
  certify_all({1, expires, utc_never});
  certify_client(3, {1, issued, expires});
  expect_refused(show_roster(expires), "certificate of client-0003: expired");
}

TEST_F(AdversaryCertificates, OneOfAnEndedEpochIsRefused) {
  certify_all({2, issued, expires});
  setup.certificate_epoch = 2;
  EXPECT_TRUE(show_roster(issued));
  certify_client(3, {1, issued, utc_never});
  expect_refused(show_roster(issued),
                 "certificate of client-0003: is of epoch 1, and the federation is in epoch 2");
}

TEST_F(AdversaryCertificates, ASumOfAnEpochBeforeThatOfTheClientsOwnCertificateIsRefused) {
  certify_all({1, issued, expires});
  certify_client(0, {2, issued, expires});
  expect_refused(show_roster(issued), "is of epoch 1, before that of this client's certificate, 2");
}

TEST_F(AdversaryCertificates, ALongerValidityIsNotSigned) {
  certify_all({1, issued, expires});
  ASSERT_TRUE(show_roster(issued));
  for (const Validity& claimed :
       {Validity{2, issued, expires}, Validity{1, {}, expires}, Validity{1, issued, utc_never}}) {
    ASSERT_TRUE(show_roster(issued));
    run->clients[0] = *ClientSum::begin(setup, small_policy(), cohort.identity(0));
    Roster roster = run->aggregator.roster();
    roster[0].advert = run->clients[0].advert();
    roster[3].certificate.validity = claimed;
    const auto refused = shown(roster, issued);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find("client-0003: is not signed"), std::string::npos);
  }
}

// Members that count on different epochs have different contexts.
TEST_F(AdversaryCertificates, TheEpochIsInWhatAllClientsSign) {
  SumSetup other = setup;
  other.certificate_epoch = 2;
  EXPECT_NE(other.digest(), setup.digest());
}

// A device without a battery for its clock starts in 1970, and must still take part.
TEST_F(AdversaryCertificates, WithoutAClockADeviceTakesPartAndReportsIt) {
  certify_all({1, issued, expires});
  EXPECT_TRUE(show_roster({1'000}));
  EXPECT_EQ(run->clients[0].issued_after_now(), issued);
}

// The time cannot be before the issue of a certificate that the root signed.
TEST_F(AdversaryCertificates, WithoutAClockWhatExpiredBeforeAnotherWasIssuedIsRefused) {
  certify_all({1, expires, utc_never});
  certify_client(3, {1, issued, expires});
  expect_refused(show_roster({1'000}), "certificate of client-0003: expired");
}

}  // namespace
}  // namespace hansa::secure_aggregation::testing
