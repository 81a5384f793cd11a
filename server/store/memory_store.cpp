#include "server/store/memory_store.h"

#include <algorithm>

#include "common/vector_digest.h"
#include "server/store/internal/identity.h"

namespace hansa::server {
namespace {
constexpr const char* place = "memory store";
}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, BeforeStep before_step)
    : disk_(std::move(disk)), before_step_(std::move(before_step)) {}

Result<void> MemoryStore::before(std::string_view step) const {
  if (!before_step_) return {};
  return before_step_(step);
}

Result<RoundId> MemoryStore::last_round() const {
  if (!disk_->identity) return internal::fail_not_begun(place);
  return RoundId{static_cast<std::uint32_t>(disk_->rounds.size())};
}

Result<void> MemoryStore::begin_run(const RunIdentity& identity, std::span<const float> initial_model) {
  HANSA_TRY_VOID(internal::require_initial_model(identity, initial_model, place));
  if (disk_->identity) return internal::require_same_identity(*disk_->identity, identity, place);
  for (const StateVector& state : identity.initial_state)
    if (!disk_->models.contains(state.vector))
      return fail(ErrorCode::storage, place, "has no vector " + state.vector.brief() + " to begin with");
  HANSA_TRY_VOID(put_model(initial_model));
  HANSA_TRY_VOID(before("keep identity"));
  disk_->identity = identity;
  return {};
}

Result<Digest> MemoryStore::put_model(std::span<const float> parameters) {
  const Digest digest = vector_digest(parameters);
  if (disk_->models.contains(digest)) return digest;
  HANSA_TRY_VOID(before("write model"));
  disk_->models.emplace(digest, std::vector<float>(parameters.begin(), parameters.end()));
  return digest;
}

Result<void> MemoryStore::get_model(const Digest& digest, std::span<float> parameters) {
  const auto found = disk_->models.find(digest);
  if (found == disk_->models.end()) return fail(ErrorCode::storage, place, "has no model " + digest.brief());
  if (found->second.size() != parameters.size())
    return fail(ErrorCode::storage, place, "has model " + digest.brief() + " of another size");
  std::copy(found->second.begin(), found->second.end(), parameters.begin());
  if (vector_digest(parameters) != digest)
    return fail(ErrorCode::storage, place, "has a damaged model " + digest.brief());
  return {};
}

Result<Digest> MemoryStore::put_delta(std::span<const std::byte> delta) {
  const Digest digest = sha256(delta);
  if (disk_->deltas.contains(digest)) return digest;
  HANSA_TRY_VOID(before("write delta"));
  disk_->deltas.emplace(digest, std::vector<std::byte>(delta.begin(), delta.end()));
  return digest;
}

Result<std::vector<std::byte>> MemoryStore::get_delta(const Digest& digest) {
  const auto found = disk_->deltas.find(digest);
  if (found == disk_->deltas.end()) return fail(ErrorCode::storage, place, "has no step " + digest.brief());
  if (sha256(std::span<const std::byte>(found->second)) != digest)
    return fail(ErrorCode::storage, place, "has a damaged step " + digest.brief());
  return found->second;
}

Result<void> MemoryStore::commit_round(const RoundRecord& record) {
  HANSA_TRY(const RoundId last, last_round());
  HANSA_TRY_VOID(internal::require_next_round(record.round, last, place));
  if (!disk_->models.contains(record.model))
    return fail(ErrorCode::storage, place, "has no model " + record.model.brief() + " to commit");
  if (record.published && !disk_->deltas.contains(record.published->delta))
    return fail(ErrorCode::storage, place, "has no step " + record.published->delta.brief() + " to commit");
  for (const StateVector& state : record.state)
    if (!disk_->models.contains(state.vector))
      return fail(ErrorCode::storage, place, "has no vector " + state.vector.brief() + " to commit");
  HANSA_TRY_VOID(before("commit round"));
  disk_->rounds.push_back(record);
  return {};
}

Result<void> MemoryStore::record_evaluation(RoundId round, const Metrics& metrics) {
  HANSA_TRY(const RoundId last, last_round());
  HANSA_TRY_VOID(internal::require_committed_round(round, last, place));
  HANSA_TRY_VOID(before("record evaluation"));
  disk_->evaluations[round] = metrics;
  return {};
}

Result<std::optional<Store::Position>> MemoryStore::position() {
  if (!disk_->identity) return std::nullopt;
  if (disk_->rounds.empty()) return Position{RoundId{0}, disk_->identity->initial_model};
  return Position{disk_->rounds.back().round, disk_->rounds.back().model};
}

Result<std::optional<RoundRecord>> MemoryStore::round(RoundId round) {
  if (round.value == 0 || round.value > disk_->rounds.size()) return std::nullopt;
  return disk_->rounds[round.value - 1];
}

Result<std::optional<Published>> MemoryStore::published(RoundId round) {
  if (round.value == 0 || round.value > disk_->rounds.size()) return std::nullopt;
  return disk_->rounds[round.value - 1].published;
}

Result<std::optional<Metrics>> MemoryStore::evaluation(RoundId round) {
  const auto found = disk_->evaluations.find(round);
  if (found == disk_->evaluations.end()) return std::nullopt;
  return found->second;
}

}  // namespace hansa::server
