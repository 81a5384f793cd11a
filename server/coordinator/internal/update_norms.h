// Which updates of a round are not like the others, by the norm of each of their vectors. Pure functions.
//
// A vector that a method exchanges has a check of its own. It may be small against the delta, so that a lie in it would not show
// in the norm of the whole update, and it changes a vector that all clients follow in every later round.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/methods.h"

namespace hansa::server {

// What is known of a counted update.
struct UpdateSize {
  std::vector<double> norms;  // of the delta, then of the vectors that the method exchanges
  std::uint64_t examples = 0;
};

struct UnlikeUpdate {
  std::size_t index = 0;  // in the updates
  std::string_view vector;  // "delta", or the name of the exchanged one
};

// Those of whose vectors one is too large, each once, sorted by index. method: of the round's tasks. outputs: the names of the
// exchanged vectors. None if fewer than three updates changed something: of two, either may be the wrong one.
//
// A delta, and an exchanged vector of most methods, has at most `ratio_max` times the median of their norms. The change of a
// control variate depends on when its client took part last: after many rounds, or for the first time, an honest one is many
// times as large as the others'. By its definition (SCAFFOLD, line 12) it is -c - delta / (K eta), so that
//   |change_i| <= |c| + d_i, where d = |delta| / (K eta), and |c| <= |change_j| + d_j for every honest client j.
// Allowed is twice the median of |change_j| + d_j plus d_i, because codecs change norms. d_i counts for at most `ratio_max`
// medians of d, because the number of steps follows from the number of examples, which a client may understate.
[[nodiscard]] std::vector<UnlikeUpdate> unlike_updates(std::span<const UpdateSize> updates,
                                                       const Method& method,
                                                       std::span<const std::string_view> outputs,
                                                       double ratio_max);

}  // namespace hansa::server
