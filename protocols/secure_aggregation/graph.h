// The graph of a roster: neighbours exchange shares and pairwise masks. It is k-regular and derived from a seed.
#pragma once
#include <cstdint>
#include <vector>

#include "common/digest.h"
#include "protocols/secure_aggregation/parameters.h"

namespace hansa::secure_aggregation {

// A client's position in the roster, which is sorted by names.
using Position = std::uint32_t;

// In the complete graph the neighbours of a client are all other clients. Otherwise the clients are ordered on a circle
// by the SHA-256 of "hansa secagg graph 1", the seed and their position (transcript.h), and the neighbours are the k/2
// clients on either side (a Harary graph; Bell et al., CCS 2020, section 3). Lists are ascending.
class Graph {
 public:
  Graph(const GraphParameters& parameters, const Digest& seed);

  [[nodiscard]] const std::vector<Position>& neighbours(Position client) const { return neighbours_[client]; }
  // The holders of a client's shares, ascending: its neighbours, and in the complete graph the client itself too.
  // holders()[i] has the share at x = i + 1.
  [[nodiscard]] const std::vector<Position>& holders(Position client) const { return holders_[client]; }
  [[nodiscard]] const GraphParameters& parameters() const { return parameters_; }

 private:
  GraphParameters parameters_;
  std::vector<std::vector<Position>> neighbours_, holders_;
};

}  // namespace hansa::secure_aggregation
