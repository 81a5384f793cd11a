#include "protocols/secure_aggregation/client.h"

#include <algorithm>

#include <openssl/rand.h>

#include "protocols/secure_aggregation/internal/hkdf.h"
#include "protocols/secure_aggregation/internal/openssl.h"
#include "protocols/secure_aggregation/internal/survivors.h"
#include "protocols/secure_aggregation/shamir.h"

namespace hansa::secure_aggregation {
namespace {

tl::unexpected<Error> refuse(std::string what) {
  return fail(ErrorCode::refused, "secure aggregation", std::move(what));
}
tl::unexpected<Error> out_of_order(const char* what) {
  return fail(ErrorCode::protocol, "secure aggregation", std::string(what) + " came out of order");
}

Result<void> randomise(std::span<std::uint8_t> bytes) {
  if (::RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return internal::openssl_failed("has no random bytes");
  return {};
}

bool same(const Advert& a, const Advert& b) {
  return a.share_key == b.share_key && a.mask_key == b.mask_key && a.nonce == b.nonce &&
         a.self_seed_commitment == b.self_seed_commitment && a.signature == b.signature;
}

}  // namespace

// If a call failed, wipes every secret, so that nothing can be revealed later.
template <class T>
Result<T> ClientSum::or_failed(Result<T> result) {
  if (!result) {
    stage_ = Stage::failed;
    share_keys_ = {};
    mask_keys_ = {};
    self_seed_ = {};
    neighbours_.clear();
    own_shares_.reset();
    answer_.shares.clear();
  }
  return result;
}

Result<ClientSum> ClientSum::begin(SumSetup setup, const Policy& policy, ClientIdentity identity) {
  HANSA_TRY_VOID(check(setup));
  HANSA_TRY_VOID(check(setup, policy));
  ClientSum out;
  out.setup_ = std::move(setup);
  out.policy_ = policy;
  out.identity_ = std::move(identity);
  out.setup_digest_ = out.setup_.digest();
  HANSA_TRY(out.share_keys_, make_key_pair());
  HANSA_TRY(out.mask_keys_, make_key_pair());
  HANSA_TRY_VOID(randomise(out.self_seed_.bytes()));
  HANSA_TRY_VOID(randomise(out.advert_.nonce));
  out.advert_.share_key = out.share_keys_.public_key;
  out.advert_.mask_key = out.mask_keys_.public_key;
  out.advert_.self_seed_commitment = commit_to(out.self_seed_, out.setup_digest_);
  HANSA_TRY_VOID(sign(out.advert_, out.identity_.name, out.setup_digest_, *out.identity_.key));
  return out;
}

Result<void> ClientSum::check_signed(const Certificate& certificate) const {
  auto valid = secure_aggregation::check(certificate, setup_.federation, identity_.root);
  if (!valid && identity_.former_root)
    return secure_aggregation::check(certificate, setup_.federation, *identity_.former_root);
  return valid;
}

// Those of the neighbours and its own.
Result<void> ClientSum::check_certificates(const Graph& graph, const Roster& roster, UtcSeconds now) {
  std::vector<const RosterEntry*> entries{&roster[self_]};
  for (const Position neighbour : graph.neighbours(self_)) entries.push_back(&roster[neighbour]);
  UtcSeconds latest = now;
  for (const RosterEntry* entry : entries) {
    HANSA_TRY_VOID(check_signed(entry->certificate));
    latest = std::max(latest, entry->certificate.validity.issued);
  }
  if (latest > now) issued_after_now_ = latest;
  for (const RosterEntry* entry : entries) {
    HANSA_TRY_VOID(check_validity(entry->certificate, setup_.certificate_epoch, latest));
    HANSA_TRY_VOID(secure_aggregation::check(entry->advert, entry->certificate, setup_digest_));
  }
  if (const auto own = roster[self_].certificate.validity.epoch; setup_.certificate_epoch < own)
    return fail(ErrorCode::refused, "secure aggregation",
                "is of epoch " + std::to_string(setup_.certificate_epoch) +
                    ", before that of this client's certificate, " + std::to_string(own),
                "set secure_aggregation.epoch in federation.toml to that of the certificates",
                {ReasonCode::certificate_outdated, {}});
  return {};
}

Result<std::vector<SealedShares>> ClientSum::on_roster(std::span<const std::byte> bytes, UtcSeconds now) {
  if (stage_ != Stage::advertised) return or_failed<std::vector<SealedShares>>(out_of_order("a roster"));
  const auto handle = [&]() -> Result<std::vector<SealedShares>> {
    HANSA_TRY(const Roster roster, decode_roster(bytes));
    const auto clients = clients_ = static_cast<std::uint32_t>(roster.size());
    HANSA_TRY_VOID(check_contributors(clients, clients, setup_.assumptions, policy_));
    if (clients > setup_.clients) return refuse("has more clients than its ring allows");
    // The client computes the parameters itself, so that the aggregator cannot choose weaker ones.
    HANSA_TRY(parameters_, choose_parameters(clients, setup_.assumptions));
    context_ = context_of(setup_, sha256(bytes), parameters_);
    const auto own =
        std::ranges::find(roster, identity_.name, [](const RosterEntry& e) { return e.certificate.client; });
    if (own == roster.end() || own->certificate.identity != identity_.key->public_key() ||
        !same(own->advert, advert_))
      return refuse("has different keys of this client in the roster");
    self_ = static_cast<Position>(own - roster.begin());
    for (const RosterEntry& entry : roster) tags_.push_back(tag_of(entry.certificate.client));
    const Graph graph(parameters_, context_);
    HANSA_TRY_VOID(check_certificates(graph, roster, now));
    return share(graph, roster);
  };
  auto out = or_failed(handle());
  if (out) stage_ = Stage::shared;
  return out;
}

Result<std::vector<SealedShares>> ClientSum::share(const Graph& graph, const Roster& roster) {
  const auto& holders = graph.holders(self_);
  const auto count = static_cast<std::uint32_t>(holders.size());
  HANSA_TRY(auto mask_key_shares, split_secret(mask_keys_.secret, parameters_.threshold, count));
  HANSA_TRY(auto self_seed_shares, split_secret(self_seed_, parameters_.threshold, count));
  std::vector<SealedShares> out;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    SharePair pair{std::move(mask_key_shares[i]), std::move(self_seed_shares[i])};
    if (holders[i] == self_) {
      own_shares_ = std::move(pair);
      continue;
    }
    const auto& [certificate, advert] = roster[holders[i]];
    const std::string& other = certificate.client;
    HANSA_TRY(const Secret32 shared, agree(share_keys_.secret, advert.share_key));
    const Secret32 key = derive_key(shared, context_, KeyPurpose::share_encryption, identity_.name, other);
    HANSA_TRY(auto sealed, seal(pair, key, {context_, identity_.name, other}));
    out.push_back(sealed);
    neighbours_.push_back({holders[i], other, certificate.identity, advert.mask_key,
                           derive_key(shared, context_, KeyPurpose::share_encryption, other, identity_.name),
                           std::nullopt});
  }
  share_keys_.secret = {};
  return out;
}

Result<void> ClientSum::on_delivery(const Delivery& delivery) {
  if (stage_ != Stage::shared) return or_failed<void>(out_of_order("shares"));
  const auto handle = [&]() -> Result<void> {
    if (delivery.sharers.size() != neighbours_.size() || delivery.shares.size() != delivery.sharers.count())
      return fail(ErrorCode::protocol, "secure aggregation", "shares do not match the neighbours");
    const std::size_t holders = delivery.shares.size() + (own_shares_ ? 1 : 0);
    if (holders < parameters_.threshold)
      return fail(ErrorCode::quorum, "secure aggregation",
                  "too few neighbours shared: " + std::to_string(holders) + " of " +
                      std::to_string(parameters_.threshold));
    auto sealed = delivery.shares.begin();
    for (std::size_t i = 0; i < neighbours_.size(); ++i) {
      if (!delivery.sharers.has(i)) continue;
      Neighbour& from = neighbours_[i];
      auto shares = open(*sealed++, from.share_key_in, {context_, from.name, identity_.name});
      if (!shares && shares.error().code == ErrorCode::protocol)
        shares.error().reason = {ReasonCode::shares_invalid, {{Quantity::member, from.position}}};
      HANSA_TRY(from.shares, std::move(shares));
      from.share_key_in = {};
    }
    return {};
  };
  auto out = or_failed(handle());
  if (out) stage_ = Stage::masking;
  return out;
}

Result<std::vector<MaskTerm>> ClientSum::mask_terms() const {
  if (stage_ != Stage::masking) return out_of_order("masking");
  std::vector<MaskTerm> out;
  out.push_back({derive_key(self_seed_, context_, KeyPurpose::self_mask, identity_.name, {}), MaskSign::add});
  for (const Neighbour& other : neighbours_) {
    if (!other.shares) continue;
    HANSA_TRY(const Secret32 shared, agree(mask_keys_.secret, other.mask_key));
    const bool first = self_ < other.position;
    const std::string &a = first ? identity_.name : other.name, &b = first ? other.name : identity_.name;
    out.push_back({derive_key(shared, context_, KeyPurpose::pairwise_mask, a, b),
                   first ? MaskSign::add : MaskSign::subtract});
  }
  return out;
}

Secret32 rounding_seed(const SigningKey& key, std::string_view client, const SumSetup& setup) {
  Transcript info("hansa secagg rounding 1");
  info.text(setup.federation).number(setup.round.value, 4).text(client);
  return internal::hkdf(key.seed().bytes(), setup.model.bytes, info.view());
}

Secret32 ClientSum::rounding_seed() const {
  return secure_aggregation::rounding_seed(*identity_.key, identity_.name, setup_);
}

std::uint32_t ClientSum::contributors_needed() const {
  return std::max(policy_.clients_min, contributors_min(clients_, setup_.assumptions, policy_.honest_min));
}

std::vector<ClientTag> ClientSum::tags_of(const Subset& clients) const {
  std::vector<ClientTag> out;
  for (Position at = 0; at < tags_.size() && at < clients.size(); ++at)
    if (clients.has(at)) out.push_back(tags_[at]);
  std::ranges::sort(out);
  return out;
}

Result<void> ClientSum::check_survivors(const Subset& survivors) const {
  if (survivors.size() != clients_)
    return fail(ErrorCode::protocol, "secure aggregation", "the set of survivors belongs to another roster");
  if (!survivors.has(self_))
    return refuse("asks this client for shares, but does not count it as a survivor");
  HANSA_TRY_VOID(check_contributors(static_cast<std::uint32_t>(survivors.count()), clients_,
                                    setup_.assumptions, policy_));
  std::size_t holders = own_shares_ ? 1 : 0;
  for (const Neighbour& other : neighbours_) {
    if (!survivors.has(other.position)) continue;
    if (!other.shares) return refuse("counts " + other.name + ", which sent no shares");
    ++holders;
  }
  if (holders < parameters_.threshold)
    return refuse("has only " + std::to_string(holders) +
                  " survivors among the holders of this client's shares, " +
                  std::to_string(parameters_.threshold) + " are needed");
  return {};
}

Result<void> ClientSum::check_signing(const Subset& survivors) const {
  if (stage_ != Stage::masking || setup_.assumptions.threat_model != ThreatModel::active)
    return out_of_order("a set of survivors to sign");
  if (survivors_ && *survivors_ != survivors) return refuse("sent two different sets of survivors");
  return check_survivors(survivors);
}

Result<Signature> ClientSum::on_survivors(const Subset& survivors) {
  const auto handle = [&]() -> Result<Signature> {
    HANSA_TRY_VOID(check_signing(survivors));
    survivors_ = survivors;
    return identity_.key->sign(internal::survivors_to_sign(context_, survivors).view());
  };
  return or_failed(handle());
}

const ClientSum::Neighbour* ClientSum::neighbour(Position client) const {
  const auto at = std::ranges::lower_bound(neighbours_, client, {}, &Neighbour::position);
  return at != neighbours_.end() && at->position == client ? &*at : nullptr;
}

Result<void> ClientSum::check_signatures(const UnmaskRequest& request) const {
  if (!survivors_) return out_of_order("an unmask request");
  Subset signers(clients_);
  const auto message = internal::survivors_to_sign(context_, request.survivors);
  for (const SignedBy& by : request.signatures) {
    if (by.client >= clients_ || !request.survivors.has(by.client) || signers.has(by.client))
      return refuse("has a signature of a client that is not a survivor, or two of one client");
    // In the active model the graph is complete, so that all other clients are neighbours.
    const Neighbour* other = by.client == self_ ? nullptr : neighbour(by.client);
    if (by.client != self_ && other == nullptr)
      return refuse("has a signature of a client that is not a neighbour");
    if (!verify(other ? other->identity : identity_.key->public_key(), message.view(), by.signature))
      return refuse("has a signature of " + (other ? other->name : identity_.name) +
                    " that does not match these survivors");
    signers.insert(by.client);
  }
  if (signers.count() < parameters_.threshold)
    return refuse("has only " + std::to_string(signers.count()) + " signatures of the survivors, " +
                  std::to_string(parameters_.threshold) + " are needed");
  return {};
}

Result<void> ClientSum::check_unmasking(const UnmaskRequest& request) const {
  if (stage_ != Stage::masking && stage_ != Stage::answered) return out_of_order("an unmask request");
  // With answers to two different sets, the aggregator could rebuild both secrets of one client.
  if (survivors_ && *survivors_ != request.survivors) return refuse("sent two different sets of survivors");
  if (stage_ == Stage::answered) return {};
  HANSA_TRY_VOID(check_survivors(request.survivors));
  if (setup_.assumptions.threat_model == ThreatModel::active) return check_signatures(request);
  return {};
}

Result<UnmaskShares> ClientSum::on_unmask(const UnmaskRequest& request) {
  const auto handle = [&]() -> Result<UnmaskShares> {
    HANSA_TRY_VOID(check_unmasking(request));
    if (stage_ == Stage::masking) {
      survivors_ = request.survivors;
      const auto reveal = [&](Position owner, SharePair& pair) {
        answer_.shares.push_back(std::move(survivors_->has(owner) ? pair.self_seed : pair.mask_key));
        pair = {};
      };
      for (Neighbour& other : neighbours_)
        if (other.shares) reveal(other.position, *other.shares);
      if (own_shares_) reveal(self_, *own_shares_);
      mask_keys_.secret = {};
      self_seed_ = {};
    }
    UnmaskShares out;
    for (const Secret32& share : answer_.shares) out.shares.push_back(share.copy());
    return out;
  };
  auto out = or_failed(handle());
  if (out) stage_ = Stage::answered;
  return out;
}

}  // namespace hansa::secure_aggregation
