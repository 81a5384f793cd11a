// What the survivors of a sum revealed, as a value, and the masks that follow from it. Some answers may be wrong.
//
// Any `threshold` correct shares rebuild a secret, and the owner's advert tells whether it is the right one (commitment
// or public key). If the first shares do not, the wrong ones are found by decoding (share_decoding.h): f of n shares if
// n >= threshold + 2f. A holder whose share of one secret is wrong is tried last for all others. Beyond that, random
// sets of holders are tried, up to a limit. The limits keep the work below a few seconds for any cohort, so that it
// belongs on a thread of its own; open_masks is a pure function.
//
// A wrong share is a contradiction between two clients: its holder changed it, or its owner dealt it like this. It is
// reported only if `corrupt` holders cannot have made a correct one look wrong: the other shares and the verified
// secret, which is the polynomial's value at 0, are on one polynomial, and at least `threshold` of these points are
// honest.
#pragma once
#include <cstdint>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/secure_aggregation/graph.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/messages.h"
#include "protocols/secure_aggregation/roster.h"
#include "protocols/secure_aggregation/shamir.h"

namespace hansa::secure_aggregation {

// The shares of one client's secret: of the self seed of a survivor, otherwise of the mask key. In the order in which
// the holders revealed them.
struct RevealedSecret {
  Position owner = 0;
  std::vector<Position> holders;
  std::vector<ShareIndex> indices;
  std::vector<Secret32> shares;
  [[nodiscard]] RevealedSecret copy() const;
};

struct RevealedSum {
  Digest setup, context;
  Roster roster;
  Graph graph;
  Subset survivors;
  std::uint32_t corrupt = 1;  // of the holders of one client's shares, at most
  std::vector<RevealedSecret> secrets;  // of all clients that shared
};

struct WrongShare {
  Position owner = 0, holder = 0;
  friend bool operator==(const WrongShare&, const WrongShare&) = default;
};

struct OpenedMasks {
  // To add to the sum of the masked vectors. Fails with `quorum`, naming the owner, if a secret cannot be rebuilt.
  Result<std::vector<MaskTerm>> terms;
  // Ascending by owner. Empty if all first shares were correct: the others are not examined then.
  std::vector<WrongShare> wrong;
  // Owners whose secret cannot be rebuilt although `corrupt` holders cannot prevent it: they dealt no valid shares.
  std::vector<Position> dealers;
};

// decode: ends with the first secret that decoding does not rebuild, because more answers may follow. all: tries
// everything, and reports what it finds.
enum class OpeningEffort : std::uint8_t { decode, all };

[[nodiscard]] OpenedMasks open_masks(const RevealedSum& sum, OpeningEffort effort);

}  // namespace hansa::secure_aggregation
