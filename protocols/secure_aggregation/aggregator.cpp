#include "protocols/secure_aggregation/aggregator.h"

#include <algorithm>
#include <cassert>

#include "protocols/secure_aggregation/internal/survivors.h"

namespace hansa::secure_aggregation {
namespace {

tl::unexpected<Error> refuse(std::string location, std::string what) {
  return fail(ErrorCode::protocol, std::move(location), std::move(what));
}

const std::string& name_of_certificate(const Certificate& certificate) { return certificate.client; }
const std::string& name_of_entry(const RosterEntry& entry) { return entry.certificate.client; }

std::size_t index_of(const std::vector<Position>& ascending, Position client) {
  return static_cast<std::size_t>(std::ranges::lower_bound(ascending, client) - ascending.begin());
}

}  // namespace

Result<AggregatorSum> AggregatorSum::begin(SumSetup setup, std::vector<Certificate> invited,
                                           std::optional<std::uint32_t> honest_min) {
  HANSA_TRY_VOID(check(setup));
  AggregatorSum out;
  out.setup_ = std::move(setup);
  out.setup_digest_ = out.setup_.digest();
  HANSA_TRY(auto pair, make_key_pair());
  out.probe_ = std::move(pair.secret);
  std::ranges::sort(invited, {}, name_of_certificate);
  out.invited_ = std::move(invited);
  out.honest_min_ = honest_min;
  return out;
}

Result<void> AggregatorSum::expect(Phase phase, const char* what) const {
  if (phase_ == phase) return {};
  return refuse("secure aggregation",
                std::string(what) + (phase_ > phase ? " came too late" : " came too early"));
}

tl::unexpected<Error> AggregatorSum::too_few(std::string what) {
  phase_ = Phase::failed;
  return fail(ErrorCode::quorum, "secure aggregation", std::move(what));
}

std::optional<Position> AggregatorSum::position_of(std::string_view client) const {
  const auto at = std::ranges::lower_bound(roster_, client, {}, name_of_entry);
  if (at == roster_.end() || at->certificate.client != client) return std::nullopt;
  return static_cast<Position>(at - roster_.begin());
}

bool AggregatorSum::has_keys_of(std::string_view client) const {
  if (phase_ != Phase::adverts) return position_of(client).has_value();
  return std::ranges::binary_search(adverts_, client, {}, name_of_entry);
}

Result<void> AggregatorSum::on_advert(std::string_view client, const Advert& advert) {
  HANSA_TRY_VOID(expect(Phase::adverts, "keys"));
  const auto certificate = std::ranges::lower_bound(invited_, client, {}, name_of_certificate);
  if (certificate == invited_.end() || certificate->client != client)
    return refuse("keys of " + std::string(client), "are not from an invited client");
  const auto at = std::ranges::lower_bound(adverts_, client, {}, name_of_entry);
  if (at != adverts_.end() && at->certificate.client == client)
    return refuse("keys of " + std::string(client), "came twice");
  const auto has_identity = [&](const RosterEntry& e) {
    return e.certificate.identity == certificate->identity;
  };
  if (std::ranges::any_of(adverts_, has_identity))
    return refuse("keys of " + std::string(client), "are of an identity that takes part under another name");
  HANSA_TRY_VOID(secure_aggregation::check(advert, *certificate, setup_digest_));
  // Keys of low order would make the sum fail at the client's neighbours.
  if (!agree(probe_, advert.share_key) || !agree(probe_, advert.mask_key))
    return refuse("keys of " + std::string(client), "are points of low order");
  adverts_.insert(at, {*certificate, advert});
  return {};
}

Result<void> AggregatorSum::fix_roster() {
  HANSA_TRY_VOID(expect(Phase::adverts, "the roster"));
  const auto clients = static_cast<std::uint32_t>(adverts_.size());
  needed_ = contributors_min(clients, setup_.assumptions, honest_min_);
  if (clients < needed_)
    return too_few("only " + std::to_string(clients) + " clients sent keys, " + std::to_string(needed_) +
                   " are needed");
  if (auto parameters = choose_parameters(clients, setup_.assumptions); parameters) parameters_ = *parameters;
  else return too_few(parameters.error().what);
  roster_ = std::move(adverts_);
  adverts_.clear();
  encoded_roster_ = encode(roster_);
  context_ = context_of(setup_, sha256(encoded_roster_), parameters_);
  graph_.emplace(parameters_, context_);
  sealed_.resize(clients);
  revealed_.resize(clients);
  shared_ = masking_ = masked_ = signed_ = answered_ = Subset(clients);
  phase_ = Phase::shares;
  return {};
}

Result<void> AggregatorSum::on_shares(Position client, std::vector<SealedShares> shares) {
  HANSA_TRY_VOID(expect(Phase::shares, "shares"));
  if (client >= roster_.size()) return refuse("shares", "are not from a client of the roster");
  if (shared_.has(client)) return refuse("shares of " + name_of(client), "came twice");
  if (shares.size() != graph_->neighbours(client).size())
    return refuse("shares of " + name_of(client),
                  "are for " + std::to_string(shares.size()) + " clients instead of its " +
                      std::to_string(graph_->neighbours(client).size()) + " neighbours");
  sealed_[client] = std::move(shares);
  shared_.insert(client);
  return {};
}

Result<void> AggregatorSum::fix_sharers() {
  HANSA_TRY_VOID(expect(Phase::shares, "the end of sharing"));
  for (Position client = 0; client < roster_.size(); ++client)
    if (shared_.has(client) && shared_.count_of(graph_->holders(client)) >= parameters_.threshold)
      masking_.insert(client);
  if (masking_.count() < needed_)
    return too_few("only " + std::to_string(shared_.count()) + " of " + std::to_string(roster_.size()) +
                   " clients shared their secrets");
  phase_ = Phase::masked;
  return {};
}

std::optional<Delivery> AggregatorSum::delivery_for(Position client) const {
  if (!masking_.has(client)) return std::nullopt;
  const auto& neighbours = graph_->neighbours(client);
  Delivery out{Subset(neighbours.size()), {}};
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    if (!shared_.has(neighbours[i])) continue;
    out.sharers.insert(i);
    out.shares.push_back(sealed_[neighbours[i]][index_of(graph_->neighbours(neighbours[i]), client)]);
  }
  return out;
}

bool AggregatorSum::was_delivered(Position owner, Position holder) const {
  return phase_ >= Phase::masked && phase_ != Phase::failed && masking_.has(holder) && shared_.has(owner) &&
         std::ranges::binary_search(graph_->neighbours(holder), owner);
}

Result<void> AggregatorSum::on_masked(Position client) {
  HANSA_TRY_VOID(expect(Phase::masked, "a masked vector"));
  if (client >= roster_.size() || !masking_.has(client))
    return refuse("masked vector", "is not from a client that was sent shares");
  if (masked_.has(client)) return refuse("masked vector of " + name_of(client), "came twice");
  masked_.insert(client);
  return {};
}

Result<void> AggregatorSum::fix_survivors() {
  HANSA_TRY_VOID(expect(Phase::masked, "the set of survivors"));
  if (masked_.count() < needed_)
    return too_few("only " + std::to_string(masked_.count()) + " masked vectors arrived, " +
                   std::to_string(needed_) + " are needed");
  for (Position client = 0; client < roster_.size(); ++client)
    if (shared_.has(client) && masked_.count_of(graph_->holders(client)) < parameters_.threshold)
      return too_few("only " + std::to_string(masked_.count_of(graph_->holders(client))) +
                     " holders of the shares of " + name_of(client) + " are left, " +
                     std::to_string(parameters_.threshold) + " are needed");
  phase_ = setup_.assumptions.threat_model == ThreatModel::active ? Phase::signatures : Phase::unmasking;
  return {};
}

Result<void> AggregatorSum::on_signature(Position client, const Signature& signature) {
  HANSA_TRY_VOID(expect(Phase::signatures, "a signed set of survivors"));
  if (client >= roster_.size() || !masked_.has(client)) return refuse("signature", "is not from a survivor");
  if (signed_.has(client)) return refuse("signature of " + name_of(client), "came twice");
  const auto message = internal::survivors_to_sign(context_, masked_);
  if (!verify(roster_[client].certificate.identity, message.view(), signature))
    return refuse("signature of " + name_of(client), "is not over these survivors");
  signatures_.push_back({client, signature});
  signed_.insert(client);
  return {};
}

Result<void> AggregatorSum::fix_signatures() {
  HANSA_TRY_VOID(expect(Phase::signatures, "the end of signing"));
  if (signatures_.size() < parameters_.threshold)
    return too_few("only " + std::to_string(signatures_.size()) + " survivors signed, " +
                   std::to_string(parameters_.threshold) + " are needed");
  // A client checks `threshold` signatures; more are not sent.
  signatures_.resize(parameters_.threshold);
  phase_ = Phase::unmasking;
  return {};
}

std::vector<Position> AggregatorSum::owners_of_shares(Position holder) const {
  std::vector<Position> out;
  for (const Position neighbour : graph_->neighbours(holder))
    if (shared_.has(neighbour)) out.push_back(neighbour);
  if (parameters_.complete()) out.push_back(holder);
  return out;
}

Result<void> AggregatorSum::on_answer(Position client, UnmaskShares answer) {
  HANSA_TRY_VOID(expect(Phase::unmasking, "an answer"));
  if (client >= roster_.size() || !masked_.has(client)) return refuse("answer", "is not from a survivor");
  if (answered_.has(client)) return refuse("answer of " + name_of(client), "came twice");
  const std::vector<Position> owners = owners_of_shares(client);
  if (answer.shares.size() != owners.size())
    return refuse("answer of " + name_of(client), "has " + std::to_string(answer.shares.size()) +
                                                      " shares instead of " + std::to_string(owners.size()));
  for (std::size_t i = 0; i < owners.size(); ++i) {
    RevealedSecret& revealed = revealed_[owners[i]];
    revealed.owner = owners[i];
    revealed.holders.push_back(client);
    revealed.indices.push_back(static_cast<ShareIndex>(index_of(graph_->holders(owners[i]), client) + 1));
    revealed.shares.push_back(std::move(answer.shares[i]));
  }
  answered_.insert(client);
  return {};
}

bool AggregatorSum::can_unmask() const {
  if (phase_ != Phase::unmasking) return false;
  for (Position owner = 0; owner < roster_.size(); ++owner)
    if (shared_.has(owner) && revealed_[owner].shares.size() < parameters_.threshold) return false;
  return true;
}

bool AggregatorSum::can_open_without(const std::set<Position>& refusing) const {
  const auto answers = [&](Position client) {
    return masked_.has(client) && (!refusing.contains(client) || answered_.has(client));
  };
  if (phase_ == Phase::signatures) {
    std::size_t signers = 0;
    for (Position client = 0; client < roster_.size(); ++client)
      signers += answers(client) || signed_.has(client) ? 1 : 0;
    return signers >= parameters_.threshold;
  }
  for (Position owner = 0; owner < roster_.size(); ++owner)
    if (shared_.has(owner) && std::ranges::count_if(graph_->holders(owner), answers) <
                                  static_cast<std::ptrdiff_t>(parameters_.threshold))
      return false;
  return true;
}

std::uint32_t AggregatorSum::contradictors_max() const {
  return parameters_.complete() ? corrupt_clients(parameters_.clients, setup_.assumptions)
                                : parameters_.threshold - 1;
}

RevealedSum AggregatorSum::revealed() const {
  assert(can_unmask());
  // No number of corrupt neighbours in a random graph is both certain and below what decoding finds.
  const std::uint32_t corrupt =
      parameters_.complete() ? contradictors_max() : (parameters_.neighbours + 1 - parameters_.threshold) / 2;
  RevealedSum out{setup_digest_, context_, roster_, *graph_, masked_, corrupt, {}};
  for (Position owner = 0; owner < roster_.size(); ++owner)
    if (shared_.has(owner)) out.secrets.push_back(revealed_[owner].copy());
  return out;
}

}  // namespace hansa::secure_aggregation
