// What the coordinator passes to the form of a round's updates (update_form.h): what the round accepts, which update
// comes next, and how its sum is opened. Plain values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "protocols/codecs/plan.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/messages.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::server {

// What a round accepts. It determines the scale of the round's sum.
struct AccumulationBounds {
  std::uint64_t weight_max = 1 << 20;  // of one update: 1 to 2^29
  std::uint32_t updates_max = 1;  // in one round: 1 to 100,000
  float magnitude_max = 64.0F;  // of one delta value: above 0, finite
};

// A round whose updates the aggregator sees.
struct PlainSetup {
  AccumulationBounds bounds;
  std::uint64_t cohort_seed = 0;  // for codecs: the same for all updates of the round
};
// Which of several secure sums that are made at the same time; 0 if there is only one at a time.
using SumNumber = std::uint32_t;

// A round of masked updates, whose roster is fixed.
struct MaskedSetup {
  Digest context;
  std::uint32_t clients = 0;
  std::size_t elements = 0;  // of a masked vector
  unsigned ring_bits = 0;
  SumNumber sum = 0;
};
using RoundSetup = std::variant<PlainSetup, MaskedSetup>;

// Describes an update before its first byte arrives.
struct UpdateTicket {
  std::string client;
  std::uint32_t index = 0;  // position in the secure sum, or in the cohort
  std::uint64_t bytes = 0;
  Checksum checksum;  // from the client's Offer
  std::uint64_t weight = 0;  // examples; 0 for masked updates, whose weight is not known
  std::uint64_t task_seed = 0;  // for its codec's seeds
  // The same as PlainSetup::cohort_seed, for an update that belongs to a round of its own. Empty: the setup's.
  std::optional<std::uint64_t> cohort_seed = {};
  SumNumber sum = 0;  // to which a masked update belongs
};

// What is known of an update of a buffer only when it is complete.
struct CountTerms {
  std::uint64_t weight = 0;  // in the sum: at most full_weight
  std::uint64_t full_weight =
      0;  // what it would be for an update of the newest version; the sum is divided by these
  double norm_max = std::numeric_limits<double>::infinity();  // an update with a larger norm is rejected
};

// What an honest sum can be. Nobody sees a single update of a secure sum, so that the sum is what can be checked.
struct SumBounds {
  double weight_min = 1;  // total, in examples
  double weight_max = std::numeric_limits<double>::max();
  float magnitude_max = std::numeric_limits<float>::max();  // of a value of the mean
  // A metric that fewer clients have is dropped: the sum of few is close to a single value.
  std::uint32_t reporters_min = 1;
};

// What unmasks a secure sum. The contributors of the sum must be exactly the survivors.
struct SumOpening {
  secure_aggregation::SumSetup setup;
  std::vector<secure_aggregation::MaskTerm> terms;
  secure_aggregation::Subset survivors;
  SumBounds bounds = {};
  SumNumber sum = 0;
  // Of a sum of a group (masked_groups_form.h): models that were made since the one that its clients trained on, and what
  // its mean counts for it, above 0, to 1.
  std::uint32_t staleness = 0;
  double weight = 1;
};

// The allowed sizes of an update in bytes, both inclusive.
struct UpdateSizes {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  [[nodiscard]] bool has(std::uint64_t bytes) const { return bytes >= least && bytes <= most; }
  friend bool operator==(const UpdateSizes&, const UpdateSizes&) = default;
};
[[nodiscard]] UpdateSizes float32_update_sizes(std::uint64_t elements);
[[nodiscard]] UpdateSizes encoded_update_sizes(const codecs::Plan& plan);
[[nodiscard]] UpdateSizes masked_update_sizes(std::size_t elements, unsigned ring_bits);

}  // namespace hansa::server
