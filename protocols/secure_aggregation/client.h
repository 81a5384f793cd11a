// The client's side of one secure sum: a state machine without I/O.
//
//   begin -> advert() -> on_roster -> on_delivery -> mask_terms() -> [on_survivors ->] on_unmask
//
// Each step takes what the aggregator sent and returns what is to be sent to it. A step that fails ends the sum for this
// client: it tells nothing more (failed()), and another attempt begins with another object. Secrets are wiped as soon as
// they are no longer needed, and all of them with the object. Not thread safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/messages.h"
#include "protocols/secure_aggregation/roster.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

struct ClientIdentity {
  std::string name;  // under which the operator certified the key
  const SigningKey* key = nullptr;  // outlives the sum
  IdentityKey root{};  // whose certificates the client believes
};

// Seed of the rounding of a client's update in a round: from the device's own secret, and the same in every attempt, so
// that an update that is masked again is the same numbers, and a run can be repeated bit for bit.
[[nodiscard]] Secret32 rounding_seed(const SigningKey& key, std::string_view client, const SumSetup& setup);

class ClientSum {
 public:
  // Checks the setup against the policy, and makes keys.
  [[nodiscard]] static Result<ClientSum> begin(SumSetup setup, const Policy& policy, ClientIdentity identity);
  [[nodiscard]] const Advert& advert() const { return advert_; }
  [[nodiscard]] const SumSetup& setup() const { return setup_; }

  // Encoded roster in; the shares for each neighbour out, by ascending position.
  [[nodiscard]] Result<std::vector<SealedShares>> on_roster(std::span<const std::byte> roster);
  [[nodiscard]] Result<void> on_delivery(const Delivery& delivery);
  [[nodiscard]] bool can_mask() const { return stage_ == Stage::masking; }
  [[nodiscard]] bool answered() const { return stage_ == Stage::answered; }
  [[nodiscard]] std::uint32_t clients() const { return clients_; }  // of the roster
  // The terms of this client's mask: apply_masks(numbers, terms, ring_bits). As often as asked, the same: a vector that is
  // sent twice is the same vector.
  [[nodiscard]] Result<std::vector<MaskTerm>> mask_terms() const;
  [[nodiscard]] Secret32 rounding_seed() const;
  // Only if the threat model is active: the survivors as this client is told, signed. Once.
  [[nodiscard]] Result<Signature> on_survivors(const Subset& survivors);
  // Once; the same request again gets the same answer.
  [[nodiscard]] Result<UnmaskShares> on_unmask(const UnmaskRequest& request);

  // Of those in the set that this client knows: all, if the graph is complete. Sorted.
  [[nodiscard]] std::vector<std::string> names_of(const Subset& clients) const;
  [[nodiscard]] const Digest& context() const { return context_; }
  [[nodiscard]] bool failed() const { return stage_ == Stage::failed; }

 private:
  enum class Stage : std::uint8_t { advertised, shared, masking, answered, failed };
  // Of the roster a client keeps what it needs: in a device's memory there is no room for a thousand entries.
  struct Neighbour {
    Position position = 0;
    std::string name;
    IdentityKey identity{};
    PublicKey mask_key{};
    Secret32 share_key_in;  // of what it sends to this client
    std::optional<SharePair> shares;  // of its secrets, once delivered
  };

  ClientSum() = default;
  [[nodiscard]] Result<std::vector<SealedShares>> share(const Graph& graph, const Roster& roster);
  [[nodiscard]] Result<void> check_survivors(const Subset& survivors) const;
  [[nodiscard]] Result<void> check_signatures(const UnmaskRequest& request) const;
  [[nodiscard]] const Neighbour* neighbour(Position client) const;
  template <class T>
  Result<T> or_failed(Result<T> result);

  SumSetup setup_;
  Policy policy_;
  ClientIdentity identity_;
  Stage stage_ = Stage::advertised;
  Digest setup_digest_, context_;
  KeyPair share_keys_, mask_keys_;
  Secret32 self_seed_;
  Advert advert_;
  std::uint32_t clients_ = 0;  // of the roster
  GraphParameters parameters_;
  Position self_ = 0;
  std::vector<Neighbour> neighbours_;
  std::optional<SharePair> own_shares_;  // complete graph: a client is one of its own holders
  std::optional<Subset> survivors_;  // signed, or answered for
  UnmaskShares answer_;
};

}  // namespace hansa::secure_aggregation
