// Which clients are sent statements about keys.
#include "server/process/internal/statement_sender.h"

#include <gtest/gtest.h>

namespace hansa::server::internal {
namespace {

TEST(StatementSender, ClientsOfTheReleaseBeforeAreNotSentWhatTheyTakeForADamagedMessage) {
  for (const char* software : {"hansa 0.2.0", "hansa 0.2.0-dev", "hansa 0.10.1", "hansa 1.0.0"})
    EXPECT_TRUE(understands_statements(software)) << software;
  for (const char* software : {"", "hansa", "hansa 0.1.0", "hansa 0.1.99", "hansa 0.", "hansa x.2",
                               "hansa-client check", "other 1.0.0", "hansa 99999999999999999999.2"})
    EXPECT_FALSE(understands_statements(software)) << software;
}

}  // namespace
}  // namespace hansa::server::internal
