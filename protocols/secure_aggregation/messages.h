// What client and aggregator tell each other after the adverts, as values without a wire format (protocols/messages).
#pragma once
#include <cstdint>
#include <vector>

#include "common/digest.h"
#include "common/secret.h"
#include "protocols/secure_aggregation/graph.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/share_box.h"

namespace hansa::secure_aggregation {

// Some of the clients of a list, one bit each: bit i % 8 of byte i / 8. Bits beyond the list are zero.
class Subset {
 public:
  Subset() = default;
  explicit Subset(std::size_t size) : size_(size), bits_((size + 7) / 8) {}
  // Fails (protocol) unless bits is as long as a subset of so many, without a bit beyond.
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
  Subset sharers;  // of the client's neighbours
  std::vector<SealedShares> shares;  // of the sharers, in their order
};

// aggregator -> client: whose masked vectors arrived. Against an active aggregator it is first asked to sign this.
struct SignedBy {
  Position client = 0;
  Signature signature{};
};
struct UnmaskRequest {
  Subset survivors;  // of the roster
  std::vector<SignedBy>
      signatures;  // of `threshold` survivors or more over `survivors`; none if honest but curious
};

// client -> aggregator: a share of each client whose shares it holds: of a survivor's self seed, of another's mask key.
// First of the neighbours that shared, by ascending position; in the complete graph, last, of its own.
struct UnmaskShares {
  std::vector<Secret32> shares;
};

}  // namespace hansa::secure_aggregation
