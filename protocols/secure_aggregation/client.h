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
  // The terms of this client's mask: apply_masks(numbers, terms, ring_bits). As often as asked, the same: a vector that is
  // sent twice is the same vector.
  [[nodiscard]] Result<std::vector<MaskTerm>> mask_terms() const;
  // Only if the threat model is active: the survivors as this client is told, signed. Once.
  [[nodiscard]] Result<Signature> on_survivors(const Subset& survivors);
  // Once; the same request again gets the same answer.
  [[nodiscard]] Result<UnmaskShares> on_unmask(const UnmaskRequest& request);

  [[nodiscard]] const Digest& context() const { return context_; }
  [[nodiscard]] bool failed() const { return stage_ == Stage::failed; }

 private:
  enum class Stage : std::uint8_t { advertised, shared, masking, answered, failed };
  struct Neighbour {
    Position position = 0;
    Secret32 share_key_in;  // of what it sends to this client
    std::optional<SharePair> shares;  // of its secrets, once delivered
  };

  ClientSum() = default;
  [[nodiscard]] Result<std::vector<SealedShares>> share(const Graph& graph);
  [[nodiscard]] Result<void> check_survivors(const Subset& survivors) const;
  [[nodiscard]] Result<void> check_signatures(const UnmaskRequest& request) const;
  [[nodiscard]] const std::string& name_of(Position client) const {
    return roster_[client].certificate.client;
  }
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
  Roster roster_;
  GraphParameters parameters_;
  Position self_ = 0;
  std::vector<Neighbour> neighbours_;
  std::optional<SharePair> own_shares_;  // complete graph: a client is one of its own holders
  std::optional<Subset> survivors_;  // signed, or answered for
  UnmaskShares answer_;
};

}  // namespace hansa::secure_aggregation
