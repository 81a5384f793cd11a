// Certificates decide who is selected for a secure round.
#include "tests/coordinator/secure_rounds.h"

namespace hansa::server::testing {
namespace {

TEST_F(SecureRounds, WithoutACertificateAClientIsNotSelected) {
  begin();
  Harness other(h->config, RoundId(0), h->certificates);
  devices.erase("d");
  for (const char* name : {"a", "b", "c"}) (void)other.connect(name);
  const Peer d = other.connect("d");
  EXPECT_TRUE(other.refused(d, messages::RefuseReason::federation)) << "the device reports why";
  EXPECT_EQ(other.coordinator.phase(), Phase::gathering);
  const auto missing = other.coordinator.progress(other.now).missing;
  EXPECT_EQ(missing, std::vector<std::string>{"d (no certificate)"});
}

TEST_F(SecureRounds, ACertificateThatWasRevokedDoesNotCountAtTheNextHello) {
  begin();
  Harness other(h->config, RoundId(0), h->certificates);
  const Peer before = other.connect("a");
  other.say(before, messages::Bye{"restart"});
  for (const char* name : {"b", "c", "d"}) (void)other.connect(name);
  devices.erase("a");
  const Peer again = other.connect("a");
  EXPECT_EQ(other.coordinator.phase(), Phase::gathering);
  EXPECT_TRUE(other.sent<messages::TrainTask>(again).empty());
  EXPECT_EQ(other.coordinator.progress(other.now).missing, std::vector<std::string>{"a (no certificate)"});
}

}  // namespace
}  // namespace hansa::server::testing
