// The aggregator's side of one secure sum: a state machine without I/O, and without the vectors.
//
//   on_advert … fix_roster | on_shares … fix_sharers, delivery_for | on_masked … fix_survivors |
//   [on_signature …] request | on_answer … revealed, open_masks
//
// Each `fix_` function ends a phase: a client whose message has not arrived by then has dropped out, and its later
// messages are refused. A phase that leaves too few clients fails with `quorum`: the aggregator has learnt nothing, and
// the round is repeated with another attempt. Clients are identified by their position in the roster. Not thread-safe.
#pragma once
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/messages.h"
#include "protocols/secure_aggregation/revealed_sum.h"
#include "protocols/secure_aggregation/roster.h"
#include "protocols/secure_aggregation/setup.h"

namespace hansa::secure_aggregation {

class AggregatorSum {
 public:
  enum class Phase : std::uint8_t { adverts, shares, masked, signatures, unmasking, failed };

  // `invited` holds the certificates of the clients that may take part, in any order. `honest_min` is what the clients
  // require (setup.h): a phase that leaves too few for it fails. Fails like check(setup).
  [[nodiscard]] static Result<AggregatorSum> begin(SumSetup setup, std::vector<Certificate> invited,
                                                   std::optional<std::uint32_t> honest_min = std::nullopt);

  // Fails with `protocol` if the phase is over, or the client is not invited or has sent an advert already; with
  // `refused` if the signature is wrong.
  [[nodiscard]] Result<void> on_advert(std::string_view client, const Advert& advert);
  // Fails with `quorum` if there are too few adverts for a secure sum. Afterwards encoded_roster() is sent to all
  // clients.
  [[nodiscard]] Result<void> fix_roster();
  [[nodiscard]] const std::vector<std::byte>& encoded_roster() const { return encoded_roster_; }
  [[nodiscard]] const Roster& roster() const { return roster_; }
  [[nodiscard]] std::optional<Position> position_of(std::string_view client) const;

  [[nodiscard]] Result<void> on_shares(Position client, std::vector<SealedShares> shares);
  // A client has no delivery if too few of its neighbours sent shares: it takes no further part.
  [[nodiscard]] Result<void> fix_sharers();
  [[nodiscard]] std::optional<Delivery> delivery_for(Position client) const;
  // Whether the delivery for `holder` has shares of `owner`.
  [[nodiscard]] bool was_delivered(Position owner, Position holder) const;

  // Records that the client's masked vector is in the sum. Called before the vector is added: fails with `protocol` if
  // it is late.
  [[nodiscard]] Result<void> on_masked(Position client);
  [[nodiscard]] Result<void> fix_survivors();
  [[nodiscard]] const Subset& survivors() const { return masked_; }

  // Only in the active model. Fails with `refused` if it is not the client's signature of the survivors.
  [[nodiscard]] Result<void> on_signature(Position client, const Signature& signature);
  // Fails with `quorum` if too few clients signed.
  [[nodiscard]] Result<void> fix_signatures();
  [[nodiscard]] UnmaskRequest request() const { return {masked_, signatures_}; }

  [[nodiscard]] Result<void> on_answer(Position client, UnmaskShares answer);
  // Whether enough clients have answered, assuming that their shares are correct.
  [[nodiscard]] bool can_unmask() const;
  // Whether the sum can be opened if all survivors but these answer, or have answered.
  [[nodiscard]] bool can_open_without(const std::set<Position>& refusing) const;
  // What the answers received so far reveal, for open_masks(). Requires can_unmask().
  [[nodiscard]] RevealedSum revealed() const;

  // An honest client of the roster contradicts at most this many others: the corrupt ones among its neighbours.
  [[nodiscard]] std::uint32_t contradictors_max() const;

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] const SumSetup& setup() const { return setup_; }
  [[nodiscard]] const Digest& context() const { return context_; }
  [[nodiscard]] const GraphParameters& parameters() const { return parameters_; }
  [[nodiscard]] bool has_keys_of(std::string_view client) const;
  [[nodiscard]] bool has_shares_of(Position client) const { return shared_.has(client); }
  [[nodiscard]] bool has_signature_of(Position client) const { return signed_.has(client); }
  [[nodiscard]] bool has_answer_of(Position client) const { return answered_.has(client); }
  [[nodiscard]] bool expects_masked_of(Position client) const { return masking_.has(client); }
  // The number of contributors below which the sum is not opened. After the roster.
  [[nodiscard]] std::uint32_t contributors_needed() const { return needed_; }
  // The numbers of messages that have arrived.
  [[nodiscard]] std::size_t adverts() const { return adverts_.size(); }
  [[nodiscard]] std::size_t sharers() const { return shared_.count(); }
  [[nodiscard]] std::size_t expected_masked() const { return masking_.count(); }
  [[nodiscard]] std::size_t masked() const { return masked_.count(); }
  [[nodiscard]] std::size_t signatures() const { return signed_.count(); }
  [[nodiscard]] std::size_t answers() const { return answered_.count(); }
  [[nodiscard]] const std::string& name_of(Position client) const {
    return roster_[client].certificate.client;
  }

 private:
  AggregatorSum() = default;
  [[nodiscard]] Result<void> expect(Phase phase, const char* what) const;
  [[nodiscard]] tl::unexpected<Error> too_few(std::string what);
  [[nodiscard]] std::vector<Position> owners_of_shares(Position holder) const;

  SumSetup setup_;
  Digest setup_digest_, context_;
  Phase phase_ = Phase::adverts;
  Secret32 probe_;  // any secret key: agreement with it detects points of low order
  std::vector<Certificate> invited_;
  std::optional<std::uint32_t> honest_min_;
  std::uint32_t needed_ = 0;  // clients without which the sum is not opened; of the roster
  Roster adverts_;  // sorted by name
  Roster roster_;
  std::vector<std::byte> encoded_roster_;
  GraphParameters parameters_;
  std::optional<Graph> graph_;
  std::vector<std::vector<SealedShares>> sealed_;  // by position
  Subset shared_;  // clients that sent shares
  Subset masking_;  // those of them that are sent a delivery
  Subset masked_;  // those of them whose masked vector arrived: the survivors
  std::vector<SignedBy> signatures_;
  Subset signed_;
  Subset answered_;
  std::vector<RevealedSecret> revealed_;  // by owner
};

}  // namespace hansa::secure_aggregation
