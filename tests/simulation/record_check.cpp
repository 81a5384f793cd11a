#include <set>

#include <gtest/gtest.h>

#include "tests/simulation/checks.h"

namespace hansa::testing {

void expect_all_rounds(const World& world) {
  ASSERT_TRUE(world.outcome.has_value()) << world.outcome.error().text();
  EXPECT_EQ(world.outcome->finish.why, server::Finish::Why::all_rounds) << world.outcome->finish.text;
  EXPECT_EQ(world.outcome->last_committed.value, world.options.rounds);
  EXPECT_TRUE(world.lost.empty()) << world.lost.front() << " was committed and then lost";
}

std::string check_records(const World& world) {
  std::uint32_t number = 0;
  for (const auto& record : world.disk->rounds) {
    const std::string place = "round " + std::to_string(record.round.value) + ": ";
    if (record.round.value != ++number) return place + "out of order";
    std::set<std::string> selected;
    std::size_t counted = 0;
    for (const auto& p : record.participations) {
      if (!selected.insert(p.client).second) return place + p.client + " is recorded twice";
      if (p.outcome == server::Outcome::counted) ++counted;
      else if (p.reason.empty()) return place + p.client + " is lost without a reason";
    }
    // Rounded to the nearest number of clients.
    if (static_cast<double>(counted) <
        world.options.quorum * static_cast<double>(selected.size()) - 0.5 - 1e-9)
      return place + "committed below the quorum";
  }
  return {};
}

}  // namespace hansa::testing
