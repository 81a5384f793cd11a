#include "protocols/secure_aggregation/revealed_sum.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "common/random.h"
#include "protocols/secure_aggregation/keys.h"
#include "protocols/secure_aggregation/share_decoding.h"

namespace hansa::secure_aggregation {
namespace {

// Multiplications in the field, about.
constexpr std::uint64_t search_work_max = 20'000'000;
constexpr std::uint64_t decoding_work_max = 500'000'000;

using Shares = std::vector<std::size_t>;  // indices of a secret's shares, the most trustworthy first

class Opening {
 public:
  explicit Opening(const RevealedSum& sum)
      : sum_(sum), threshold_(sum.graph.parameters().threshold), doubts_(sum.roster.size()) {}

  // Empty if the secret cannot be rebuilt.
  std::optional<Secret32> rebuild(const RevealedSecret& secret, OpeningEffort effort) {
    if (secret.shares.size() < threshold_) return std::nullopt;
    const Shares shares = by_trust(secret);
    if (auto value = try_first(secret, shares)) return value;
    contested_ = true;
    auto value = decode(secret, shares);
    if (!value && effort == OpeningEffort::all && !is_enough(secret)) value = search(secret, shares);
    if (value) examine(secret, *value);
    return value;
  }

  // Compares all shares of a rebuilt secret, and reports the wrong ones.
  void examine(const RevealedSecret& secret, const Secret32& value) {
    const std::size_t points = secret.shares.size() + 1;
    if (examined_.contains(secret.owner) || !may_decode(points)) return;
    examined_.insert(secret.owner);
    std::vector<ShareIndex> indices = secret.indices;
    std::vector<const Secret32*> shares;
    for (const Secret32& share : secret.shares) shares.push_back(&share);
    indices.push_back(0);
    shares.push_back(&value);
    const auto wrong = find_wrong_shares(indices, shares, threshold_);
    const bool is_certain = wrong && points - wrong->size() >= std::size_t{threshold_} + sum_.corrupt &&
                            (wrong->empty() || wrong->back() != points - 1);
    if (!is_certain) return;
    for (const std::size_t i : *wrong) {
      ++doubts_[secret.holders[i]];
      wrong_.push_back({secret.owner, secret.holders[i]});
    }
  }

  [[nodiscard]] bool is_contested() const { return contested_; }
  [[nodiscard]] std::vector<WrongShare> take_wrong() {
    std::ranges::sort(wrong_, {}, [](const WrongShare& w) { return std::pair(w.owner, w.holder); });
    return std::move(wrong_);
  }
  // Whether an honest owner's secret would have been rebuilt.
  [[nodiscard]] bool is_enough(const RevealedSecret& secret) const {
    return secret.shares.size() >= threshold_ + 2 * std::size_t{sum_.corrupt};
  }

 private:
  [[nodiscard]] Shares by_trust(const RevealedSecret& secret) const {
    Shares out(secret.shares.size());
    std::iota(out.begin(), out.end(), 0);
    std::ranges::stable_sort(out, {}, [&](std::size_t i) { return doubts_[secret.holders[i]]; });
    return out;
  }

  // Compares a rebuilt secret with the owner's advert, which was sent before any share.
  [[nodiscard]] bool is_correct(Position owner, const Secret32& secret) const {
    const Advert& advert = sum_.roster[owner].advert;
    if (sum_.survivors.has(owner)) return commit_to(secret, sum_.setup) == advert.self_seed_commitment;
    const auto key = public_key_of(secret);
    return key && *key == advert.mask_key;
  }

  [[nodiscard]] std::optional<Secret32> try_first(const RevealedSecret& secret, const Shares& shares) {
    if (shares.size() < threshold_) return std::nullopt;
    std::vector<ShareIndex> indices;
    std::vector<const Secret32*> chosen;
    for (std::size_t i = 0; i < threshold_; ++i) {
      indices.push_back(secret.indices[shares[i]]);
      chosen.push_back(&secret.shares[shares[i]]);
    }
    // In the complete graph many owners have the same holders.
    auto known = interpolations_.find(indices);
    if (known == interpolations_.end()) {
      auto made = Interpolation::create(indices);
      if (!made) return std::nullopt;
      if (interpolations_.size() >= 64) interpolations_.clear();
      known = interpolations_.emplace(std::move(indices), std::move(*made)).first;
    }
    Secret32 value = known->second.rebuild(chosen);
    if (!is_correct(secret.owner, value)) return std::nullopt;
    return value;
  }

  [[nodiscard]] bool may_decode(std::size_t points) {
    const std::uint64_t work = std::uint64_t{8} * points * points;
    if (decoding_work_ + work > decoding_work_max) return false;
    decoding_work_ += work;
    return true;
  }

  // First with all shares, then without those of holders whose shares of other secrets were wrong.
  [[nodiscard]] std::optional<Secret32> decode(const RevealedSecret& secret, const Shares& shares) {
    Shares trusted;
    std::ranges::copy_if(shares, std::back_inserter(trusted),
                         [&](std::size_t i) { return doubts_[secret.holders[i]] == 0; });
    for (const Shares& among : {shares, trusted}) {
      // The second hash finds the wrong share that has by chance escaped the first one.
      for (const auto salt : {std::uint8_t{0}, std::uint8_t{1}})
        if (auto value = decode_among(secret, among, salt)) return value;
      if (trusted.size() == shares.size()) break;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Secret32> decode_among(const RevealedSecret& secret, const Shares& among,
                                                     std::uint8_t salt) {
    if (!may_decode(among.size())) return std::nullopt;
    std::vector<ShareIndex> indices;
    std::vector<const Secret32*> chosen;
    for (const std::size_t i : among) {
      indices.push_back(secret.indices[i]);
      chosen.push_back(&secret.shares[i]);
    }
    const auto wrong = find_wrong_shares(indices, chosen, threshold_, salt);
    if (!wrong || wrong->empty()) return std::nullopt;
    Shares correct;
    for (std::size_t i = 0; i < among.size(); ++i)
      if (!std::ranges::binary_search(*wrong, i)) correct.push_back(among[i]);
    return try_first(secret, correct);
  }

  // More shares are wrong than decoding can find: random sets of holders may still be without any of them.
  [[nodiscard]] std::optional<Secret32> search(const RevealedSecret& secret, Shares shares) {
    if (shares.size() == threshold_) return std::nullopt;
    const std::uint64_t work = std::uint64_t{2} * threshold_ * threshold_ + 2'000;
    Random random(derive_seed(secret.owner, "sets of holders"));
    for (; search_work_ + work <= search_work_max; search_work_ += work) {
      random.shuffle(std::span(shares));
      if (auto value = try_first(secret, shares)) return value;
    }
    return std::nullopt;
  }

  const RevealedSum& sum_;
  const std::uint32_t threshold_;
  std::vector<std::uint32_t> doubts_;  // by position: secrets of which this holder's share was wrong
  std::map<std::vector<ShareIndex>, Interpolation> interpolations_;
  std::vector<WrongShare> wrong_;
  std::set<Position> examined_;
  bool contested_ = false;
  std::uint64_t search_work_ = 0, decoding_work_ = 0;
};

Result<std::vector<MaskTerm>> terms_of(const RevealedSum& sum, const std::vector<Secret32>& secrets) {
  std::vector<MaskTerm> out;
  const auto name_of = [&](Position at) -> const std::string& { return sum.roster[at].certificate.client; };
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const Position owner = sum.secrets[i].owner;
    if (sum.survivors.has(owner)) {
      out.push_back({derive_key(secrets[i], sum.context, KeyPurpose::self_mask, name_of(owner), {}),
                     MaskSign::subtract});
      continue;
    }
    for (const Position other : sum.graph.neighbours(owner)) {
      if (!sum.survivors.has(other)) continue;
      HANSA_TRY(const Secret32 shared, agree(secrets[i], sum.roster[other].advert.mask_key));
      const Position a = std::min(owner, other), b = std::max(owner, other);
      // The survivor added this mask if its position is the lower of the two, and subtracted it otherwise.
      out.push_back({derive_key(shared, sum.context, KeyPurpose::pairwise_mask, name_of(a), name_of(b)),
                     other == a ? MaskSign::subtract : MaskSign::add});
    }
  }
  return out;
}

Error cannot_rebuild(const RevealedSum& sum, Position owner) {
  return {ErrorCode::quorum, "secure aggregation",
          "the shares of " + sum.roster[owner].certificate.client + " do not rebuild its " +
              (sum.survivors.has(owner) ? "self mask" : "mask key"),
          ""};
}

}  // namespace

RevealedSecret RevealedSecret::copy() const {
  RevealedSecret out{owner, holders, indices, {}};
  out.shares.reserve(shares.size());
  for (const Secret32& share : shares) out.shares.push_back(share.copy());
  return out;
}

OpenedMasks open_masks(const RevealedSum& sum, OpeningEffort effort) {
  Opening opening(sum);
  std::vector<Secret32> secrets(sum.secrets.size());
  std::vector<std::size_t> open(sum.secrets.size());
  std::iota(open.begin(), open.end(), 0);
  // What is learnt about holders from the other secrets may rebuild one that failed.
  for (std::size_t before = open.size() + 1; !open.empty() && open.size() < before;) {
    before = open.size();
    std::vector<std::size_t> failed;
    for (const std::size_t i : open) {
      auto value = opening.rebuild(sum.secrets[i], effort);
      if (value) secrets[i] = std::move(*value);
      else if (effort == OpeningEffort::decode)
        return {tl::make_unexpected(cannot_rebuild(sum, sum.secrets[i].owner)), {}, {}};
      else failed.push_back(i);
    }
    open = std::move(failed);
  }
  if (opening.is_contested())
    for (std::size_t i = 0; i < secrets.size(); ++i)
      if (!std::ranges::binary_search(open, i)) opening.examine(sum.secrets[i], secrets[i]);
  OpenedMasks out;
  out.wrong = opening.take_wrong();
  for (const std::size_t i : open)
    if (opening.is_enough(sum.secrets[i])) out.dealers.push_back(sum.secrets[i].owner);
  if (open.empty()) out.terms = terms_of(sum, secrets);
  else out.terms = tl::make_unexpected(cannot_rebuild(sum, sum.secrets[open.front()].owner));
  return out;
}

}  // namespace hansa::secure_aggregation
