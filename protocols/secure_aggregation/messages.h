// The messages between client and aggregator after the adverts, as values. protocols/messages defines their wire
// format.
#pragma once
#include <cstdint>
#include <vector>

#include "common/digest.h"
#include "common/secret.h"
#include "protocols/secure_aggregation/graph.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/share_box.h"

namespace hansa::secure_aggregation {

// A subset of a list of clients, with one bit per client: bit i % 8 of byte i / 8. Bits beyond the list are zero.
class Subset {
 public:
  Subset() = default;
  explicit Subset(std::size_t size) : size_(size), bits_((size + 7) / 8) {}
  // Fails with `protocol` unless `bits` has the right length for `size` clients and no bit beyond them is set.
  [[nodiscard]] static Result<Subset> of(std::size_t size, std::vector<std::uint8_t> bits);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool has(std::size_t i) const { return (bits_[i / 8] >> (i % 8) & 1) != 0; }
  void insert(std::size_t i) { bits_[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8)); }
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::size_t count_of(const std::vector<Position>& clients) const;
  [[nodiscard]] const std::vector<std::uint8_t>& bits() const { return bits_; }
  friend bool operator==(const Subset&, const Subset&) = default;

 private:
  std::size_t size_ = 0;
  std::vector<std::uint8_t> bits_;
};

// aggregator -> client: the encrypted shares that its neighbours sent it.
struct Delivery {
  Subset sharers;  // the neighbours that sent shares, among the client's neighbours
  std::vector<SealedShares> shares;  // one for each sharer, in their order
};

// aggregator -> client: the clients whose masked vectors arrived. In the active model the clients sign this set first.
struct SignedBy {
  Position client = 0;
  Signature signature{};
};
struct UnmaskRequest {
  Subset survivors;  // among the clients of the roster
  // Signatures of `survivors` by at least `threshold` of them; empty in the honest-but-curious model.
  std::vector<SignedBy> signatures;
};

// client -> aggregator: one share of each client whose shares it holds. For a survivor it is a share of the self seed,
// for another client a share of the mask key. The neighbours that sent shares come first, by ascending position; in the
// complete graph the client's own share is last.
struct UnmaskShares {
  std::vector<Secret32> shares;
};

}  // namespace hansa::secure_aggregation
