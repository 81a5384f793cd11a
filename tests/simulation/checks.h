// Independent checks of what a federation committed: recomputed only from the fake trainers and the records.
#pragma once
#include <string>

#include "tests/simulation/world.h"

namespace hansa::testing {

// That a world has committed all of its rounds, and that no committed round was lost in a restart. By Google Test's expectations.
void expect_all_rounds(const World& world);

// Each check returns an empty string if all agrees, or else the first difference.

// Each selected client is recorded once, and at least the quorum is counted.
std::string check_records(const World& world);
// The models of all committed rounds, as exact means in 128-bit integers. Updates and published models pass through the codecs;
// codecs with error feedback only in a world without faults. The vectors that a method exchanges are recomputed likewise.
std::string check_models(const World& world);
// The same for secure sums: the mean of the ring elements that the counted clients round their updates to.
std::string check_secure_models(const World& world);
// The same for buffered aggregation, from the recorded arrivals: also that no update is in two models, that each counts what its
// staleness says, and that all models have the same number of updates.
std::string check_buffered_models(const World& world);
// The same for secure sums of groups, from the recorded arrivals: also that no client is in two groups on one model, and that each
// model is made of the sum of one group by its staleness.
std::string check_grouped_models(const World& world);
// What clients helped to open, in all of their lives: no two sums of the same update of a client show, by their difference, the
// updates of few clients.
std::string check_opened_sums(const World& world);

}  // namespace hansa::testing
