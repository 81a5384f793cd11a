// The client's side of one secure sum: a state machine without I/O.
//
//   begin -> advert() -> on_roster -> on_delivery -> mask_terms() -> [on_survivors ->] on_unmask
//
// Each call takes a message of the aggregator and returns the message to send to it. A call that fails ends the sum for
// this client: failed() is true and it reveals nothing more. Another attempt needs another object. Secrets are wiped as
// soon as they are no longer needed, at the latest by the destructor. Not thread-safe.
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
#include "protocols/secure_aggregation/opened_sums.h"
#include "protocols/secure_aggregation/roster.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

struct ClientIdentity {
  std::string name;  // the name in the client's certificate
  const SigningKey* key = nullptr;  // must outlive the sum
  IdentityKey root{};  // the client accepts only certificates that this key signed
  std::optional<IdentityKey> former_root = {};  // or this one, while the root key changes
};

// The seed with which a client rounds its update in a round. It is derived from the device's secret and is the same in
// every attempt: an update that is masked again has the same ring elements, and a run can be repeated bit for bit.
[[nodiscard]] Secret32 rounding_seed(const SigningKey& key, std::string_view client, const SumSetup& setup);

class ClientSum {
 public:
  // Checks the setup against the policy and generates the keys.
  [[nodiscard]] static Result<ClientSum> begin(SumSetup setup, const Policy& policy, ClientIdentity identity);
  [[nodiscard]] const Advert& advert() const { return advert_; }
  [[nodiscard]] const SumSetup& setup() const { return setup_; }

  // Returns the encrypted shares for each neighbour, by ascending position. `now` is the device's clock. It cannot be
  // before the issue of a certificate of the roster: then the clock is not set, and the latest issue stands for the
  // time.
  [[nodiscard]] Result<std::vector<SealedShares>> on_roster(std::span<const std::byte> roster,
                                                            UtcSeconds now);
  // The issue of a certificate of the roster that is later than `now` was; empty: the clock may be right.
  [[nodiscard]] std::optional<UtcSeconds> issued_after_now() const { return issued_after_now_; }
  [[nodiscard]] Result<void> on_delivery(const Delivery& delivery);
  [[nodiscard]] bool can_mask() const { return stage_ == Stage::masking; }
  [[nodiscard]] bool answered() const { return stage_ == Stage::answered; }
  [[nodiscard]] std::uint32_t clients() const { return clients_; }  // in the roster
  // The least number of clients whose sum this client helps to open. After the roster.
  [[nodiscard]] std::uint32_t contributors_needed() const;
  // The terms of this client's mask, for apply_masks(elements, terms, ring_bits). Every call returns the same terms, so
  // that a vector that is sent twice is the same.
  [[nodiscard]] Result<std::vector<MaskTerm>> mask_terms() const;
  [[nodiscard]] Secret32 rounding_seed() const;
  // Whether the client may sign the survivors, or reveal the shares. Changes nothing.
  [[nodiscard]] Result<void> check_signing(const Subset& survivors) const;
  [[nodiscard]] Result<void> check_unmasking(const UnmaskRequest& request) const;
  // Only in the active model: signs the survivors. Fails if it is called with different survivors later.
  [[nodiscard]] Result<Signature> on_survivors(const Subset& survivors);
  // Reveals the shares that unmask the sum. The same survivors get the same answer again; different survivors are
  // refused.
  [[nodiscard]] Result<UnmaskShares> on_unmask(const UnmaskRequest& request);

  // The clients in the set, as opened_sums.h compares them. In a random graph the client has verified only the names of
  // its neighbours; there the aggregator follows the protocol.
  [[nodiscard]] std::vector<ClientTag> tags_of(const Subset& clients) const;
  [[nodiscard]] const Digest& context() const { return context_; }
  [[nodiscard]] bool failed() const { return stage_ == Stage::failed; }

 private:
  enum class Stage : std::uint8_t { advertised, shared, masking, answered, failed };
  // The part of a roster entry that the client needs later. A device may not have the memory for a thousand full
  // entries.
  struct Neighbour {
    Position position = 0;
    std::string name;
    IdentityKey identity{};
    PublicKey mask_key{};
    Secret32 share_key_in;  // decrypts the shares that the neighbour sends to this client
    std::optional<SharePair> shares;  // the shares of the neighbour's secrets, after the delivery
  };

  ClientSum() = default;
  [[nodiscard]] Result<std::vector<SealedShares>> share(const Graph& graph, const Roster& roster);
  [[nodiscard]] Result<void> check_signed(const Certificate& certificate) const;
  [[nodiscard]] Result<void> check_certificates(const Graph& graph, const Roster& roster, UtcSeconds now);
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
  std::uint32_t clients_ = 0;  // in the roster
  std::vector<ClientTag> tags_;  // by position
  GraphParameters parameters_;
  Position self_ = 0;
  std::vector<Neighbour> neighbours_;
  std::optional<UtcSeconds> issued_after_now_;
  std::optional<SharePair> own_shares_;  // in the complete graph a client is one of its own holders
  std::optional<Subset> survivors_;  // the set that was signed or answered
  UnmaskShares answer_;
};

}  // namespace hansa::secure_aggregation
