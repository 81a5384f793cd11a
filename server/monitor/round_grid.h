// Which rounds of a long run a chart shows. Pure.
#pragma once
#include <cstdint>
#include <vector>

#include "common/identifiers.h"

namespace hansa::server {

// At most `points` rounds of 1 to last, in order, always the first and the last; all of them if they are not more. points: at
// least 2.
//
// The rounds are those at the ends of equal intervals, whose length is a power of two. So a run that grows keeps its rounds
// until the length doubles, and then every second one of them: whoever has read them reads no others. In an interval with
// preferred rounds, the last of these takes the place of its end.
[[nodiscard]] std::vector<RoundId> thinned_rounds(RoundId last, std::uint32_t points,
                                                  const std::vector<RoundId>& preferred = {});

}  // namespace hansa::server
