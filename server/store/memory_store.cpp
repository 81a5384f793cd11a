#include "server/store/memory_store.h"

#include <algorithm>
#include <unordered_set>

#include "common/files.h"
#include "common/vector_digest.h"
#include "server/store/internal/identity.h"
#include "server/store/internal/retained_rounds.h"

namespace hansa::server {
namespace {

constexpr std::size_t archive_bytes_max = std::size_t{1} << 32;

}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, BeforeStep before_step, MemoryRunOptions options)
    : disk_(std::move(disk)),
      before_step_(std::move(before_step)),
      options_(std::move(options)),
      retained_(std::make_unique<internal::RetainedRounds>(options_.retention)) {
  if (options_.access == MemoryAccess::read_write) clean_up();
}
MemoryStore::~MemoryStore() = default;

Result<void> MemoryStore::before(std::string_view step) const {
  if (!before_step_) return {};
  return before_step_(step);
}

Result<void> MemoryStore::require_writable() const {
  if (options_.access == MemoryAccess::read_write) return {};
  return fail(ErrorCode::usage, options_.name, "is open for reading only");
}

Result<void> MemoryStore::require_vector(const Digest& digest, std::string_view what) const {
  if (disk_->models.contains(digest)) return {};
  return fail(ErrorCode::storage, options_.name,
              "has no " + std::string(what) + " " + digest.brief() + " to commit");
}

Result<RoundId> MemoryStore::last_round() const {
  if (!disk_->identity) return internal::fail_not_begun(options_.name);
  return RoundId{static_cast<std::uint32_t>(disk_->rounds.size())};
}

// Removes what the retention does not keep, and what no committed round names.
void MemoryStore::clean_up() {
  if (disk_->identity) retained_->begin(*disk_->identity);
  for (const RoundRecord& record : disk_->rounds) {
    internal::HeldRound held = internal::held_of(record);
    if (!record.model_kept) held.vectors.clear();
    if (!held.vectors.empty() || held.published) retained_->add(std::move(held));
  }
  for (const auto& [round, metrics] : disk_->evaluations)
    retained_->set_score(round, retained_->score_of(metrics));
  const internal::Surplus surplus = retained_->surplus();
  mark_removed(surplus);
  (void)retained_->remove(surplus);

  std::unordered_set<Digest> vectors, deltas;
  if (const auto& identity = disk_->identity) {
    vectors.insert(identity->initial_model);
    for (const StateVector& state : identity->initial_state) vectors.insert(state.vector);
  }
  for (const RoundRecord& record : disk_->rounds) {
    const internal::HeldRound held = internal::held_of(record);
    if (record.model_kept) vectors.insert(held.vectors.begin(), held.vectors.end());
    if (!held.published) continue;
    deltas.insert(held.published->delta);
    if (held.published->vector) vectors.insert(*held.published->vector);
  }
  std::erase_if(disk_->models, [&](const auto& entry) { return !vectors.contains(entry.first); });
  std::erase_if(disk_->deltas, [&](const auto& entry) { return !deltas.contains(entry.first); });
}

void MemoryStore::mark_removed(const internal::Surplus& surplus) {
  for (const RoundId round : surplus.models) disk_->rounds[round.value - 1].model_kept = false;
  for (const RoundId round : surplus.deltas) disk_->rounds[round.value - 1].published.reset();
}

Result<void> MemoryStore::remove_vectors(const internal::Surplus& surplus) {
  const internal::Unnamed unnamed = retained_->remove(surplus);
  if (unnamed.vectors.empty() && unnamed.deltas.empty()) return {};
  HANSA_TRY_VOID(before("remove models"));
  for (const Digest& vector : unnamed.vectors) disk_->models.erase(vector);
  for (const Digest& delta : unnamed.deltas) disk_->deltas.erase(delta);
  return {};
}

Result<void> MemoryStore::begin_run(const RunIdentity& identity, std::span<const float> initial_model) {
  HANSA_TRY_VOID(require_writable());
  HANSA_TRY_VOID(internal::require_initial_model(identity, initial_model, options_.name));
  if (disk_->identity) return internal::require_same_identity(*disk_->identity, identity, options_.name);
  for (const StateVector& state : identity.initial_state)
    HANSA_TRY_VOID(require_vector(state.vector, "vector"));
  HANSA_TRY_VOID(put_model(initial_model));
  HANSA_TRY_VOID(before("keep identity"));
  disk_->identity = identity;
  retained_->begin(identity);
  return {};
}

Result<Digest> MemoryStore::put_model(std::span<const float> parameters) {
  HANSA_TRY_VOID(require_writable());
  const Digest digest = vector_digest(parameters);
  if (disk_->models.contains(digest)) return digest;
  HANSA_TRY_VOID(before("write model"));
  disk_->models.emplace(digest, std::vector<float>(parameters.begin(), parameters.end()));
  return digest;
}

Result<void> MemoryStore::get_model(const Digest& digest, std::span<float> parameters) {
  const auto found = disk_->models.find(digest);
  if (found == disk_->models.end())
    return fail(ErrorCode::storage, options_.name, "has no model " + digest.brief());
  if (found->second.size() != parameters.size())
    return fail(ErrorCode::storage, options_.name, "has model " + digest.brief() + " of another size");
  std::copy(found->second.begin(), found->second.end(), parameters.begin());
  if (vector_digest(parameters) != digest)
    return fail(ErrorCode::storage, options_.name, "has a damaged model " + digest.brief());
  return {};
}

Result<Digest> MemoryStore::put_delta(std::span<const std::byte> delta) {
  HANSA_TRY_VOID(require_writable());
  const Digest digest = sha256(delta);
  if (disk_->deltas.contains(digest)) return digest;
  HANSA_TRY_VOID(before("write delta"));
  disk_->deltas.emplace(digest, std::vector<std::byte>(delta.begin(), delta.end()));
  return digest;
}

Result<std::vector<std::byte>> MemoryStore::get_delta(const Digest& digest) {
  const auto found = disk_->deltas.find(digest);
  if (found == disk_->deltas.end())
    return fail(ErrorCode::storage, options_.name, "has no delta " + digest.brief());
  if (sha256(std::span<const std::byte>(found->second)) != digest)
    return fail(ErrorCode::storage, options_.name, "has a damaged delta " + digest.brief());
  return found->second;
}

bool MemoryStore::wants_published_vector(RoundId round) const {
  return retained_->wants_published_vector(round);
}

Result<void> MemoryStore::commit_round(const RoundRecord& record) {
  HANSA_TRY_VOID(require_writable());
  HANSA_TRY(const RoundId last, last_round());
  HANSA_TRY_VOID(internal::require_next_round(record.round, last, options_.name));
  HANSA_TRY_VOID(require_vector(record.model, "model"));
  for (const StateVector& state : record.state) HANSA_TRY_VOID(require_vector(state.vector, "vector"));
  if (const auto& published = record.published) {
    if (!disk_->deltas.contains(published->delta))
      return fail(ErrorCode::storage, options_.name,
                  "has no delta " + published->delta.brief() + " to commit");
    if (published->vector) HANSA_TRY_VOID(require_vector(*published->vector, "vector"));
  }
  HANSA_TRY_VOID(before("commit round"));
  disk_->rounds.push_back(record);
  retained_->add(internal::held_of(record));
  const internal::Surplus surplus = retained_->surplus();
  mark_removed(surplus);
  return remove_vectors(surplus);
}

Result<void> MemoryStore::record_evaluation(RoundId round, const Metrics& metrics) {
  HANSA_TRY_VOID(require_writable());
  HANSA_TRY(const RoundId last, last_round());
  HANSA_TRY_VOID(internal::require_committed_round(round, last, options_.name));
  HANSA_TRY_VOID(before("record evaluation"));
  disk_->evaluations[round] = metrics;
  retained_->set_score(round, retained_->score_of(metrics));
  const internal::Surplus surplus = retained_->surplus();
  mark_removed(surplus);
  return remove_vectors(surplus);
}

Result<void> MemoryStore::record_abandoned(const AbandonedAttempt& attempt) {
  HANSA_TRY_VOID(require_writable());
  HANSA_TRY_VOID(before("record attempt"));
  disk_->abandoned.push_back(attempt);
  if (disk_->abandoned.size() > abandoned_attempts_max) disk_->abandoned.erase(disk_->abandoned.begin());
  return {};
}

Result<void> MemoryStore::record_end(const RunEnd& end) {
  HANSA_TRY_VOID(require_writable());
  disk_->end = end;
  return {};
}

Result<std::optional<RunEnd>> MemoryStore::end() {
  if (disk_->end && disk_->end->after.value != disk_->rounds.size()) return std::nullopt;
  return disk_->end;
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

Result<std::optional<RunIdentity>> MemoryStore::identity() { return disk_->identity; }
Result<std::vector<RoundRecord>> MemoryStore::rounds() { return disk_->rounds; }
Result<std::vector<RoundRecord>> MemoryStore::rounds(RoundId first, RoundId last) {
  std::vector<RoundRecord> out;
  for (const RoundRecord& record : disk_->rounds)
    if (record.round >= first && record.round <= last) out.push_back(record);
  return out;
}
Result<std::vector<ClientRound>> MemoryStore::rounds_of(const std::string& client, std::size_t most) {
  std::vector<ClientRound> out;
  for (auto record = disk_->rounds.rbegin(); record != disk_->rounds.rend() && out.size() < most; ++record)
    for (const Participation& p : record->participations)
      if (p.client == client)
        out.push_back({record->round, record->started_at, p.outcome, p.reason, p.examples, p.seconds});
  return out;
}
Result<std::vector<RoundId>> MemoryStore::rounds_without_model() {
  std::vector<RoundId> out;
  for (const RoundRecord& record : disk_->rounds)
    if (!record.model_kept) out.push_back(record.round);
  return out;
}
Result<std::uint64_t> MemoryStore::recovered_clients() {
  std::uint64_t out = 0;
  for (const RoundRecord& record : disk_->rounds) out += record.secure ? record.secure->recovered : 0;
  return out;
}
Result<std::vector<double>> MemoryStore::layer_norms(RoundId round) {
  if (round.value == 0 || round.value > disk_->rounds.size()) return std::vector<double>{};
  return disk_->rounds[round.value - 1].layer_norms;
}
Result<std::vector<Arrival>> MemoryStore::arrivals(RoundId round) {
  if (round.value == 0 || round.value > disk_->rounds.size()) return std::vector<Arrival>{};
  return disk_->rounds[round.value - 1].arrivals;
}
Result<std::vector<std::pair<RoundId, Metrics>>> MemoryStore::evaluations() {
  return std::vector<std::pair<RoundId, Metrics>>(disk_->evaluations.begin(), disk_->evaluations.end());
}

Result<Digest> MemoryStore::put_archive(const std::filesystem::path& archive) {
  HANSA_TRY_VOID(require_writable());
  HANSA_TRY(disk_->archive, read_binary_file(archive, archive_bytes_max));
  return sha256(std::span<const std::byte>(*disk_->archive));
}

Result<void> MemoryStore::put_layout(std::string_view layout) {
  HANSA_TRY_VOID(require_writable());
  disk_->layout = layout;
  return {};
}

Result<void> MemoryStore::put_manifest(std::string_view manifest) {
  HANSA_TRY_VOID(require_writable());
  disk_->manifest = manifest;
  return {};
}

Result<void> MemoryStore::put_contract(std::string_view contract) {
  HANSA_TRY_VOID(require_writable());
  disk_->contract = contract;
  return {};
}

Result<std::string> MemoryStore::contract() { return disk_->contract; }

Result<std::optional<std::string>> MemoryStore::manifest() { return disk_->manifest; }

Result<void> MemoryStore::put_configuration(RoundId round, std::string_view text) {
  HANSA_TRY_VOID(require_writable());
  disk_->configurations[round] = text;
  return {};
}

Result<std::vector<Run::Configuration>> MemoryStore::configurations() {
  std::vector<Configuration> out;
  for (const auto& [after, text] : disk_->configurations) out.push_back({after, text});
  return out;
}

Result<ParameterLayout> MemoryStore::layout() { return ParameterLayout::parse(disk_->layout, options_.name); }

Result<std::filesystem::path> MemoryStore::archive_file() {
  if (!disk_->archive) return fail(ErrorCode::storage, options_.name, "has no archive");
  const auto path = options_.scratch / "archive.pt";
  HANSA_TRY_VOID(make_folders(options_.scratch));
  HANSA_TRY_VOID(write_file_atomically(path, *disk_->archive));
  return path;
}

// Memory does not decay.
Result<std::vector<std::string>> MemoryStore::check_newest() { return std::vector<std::string>{}; }

Result<RunCheck> MemoryStore::verify() {
  RunCheck out;
  HANSA_TRY(out.last, last_round());
  out.vectors = disk_->models.size();
  out.deltas = disk_->deltas.size();
  for (const auto& [digest, vector] : disk_->models)
    if (vector_digest(vector) != digest) out.problems.push_back("model " + digest.brief() + " is damaged");
  return out;
}

Result<ModelFile> MemoryStore::model_file(const Digest& digest) {
  const auto found = disk_->models.find(digest);
  if (found == disk_->models.end())
    return fail(ErrorCode::storage, options_.name, "holds no model " + digest.brief());
  const auto path = options_.scratch / (digest.hex() + ".f32");
  HANSA_TRY_VOID(make_folders(options_.scratch));
  HANSA_TRY_VOID(write_file_atomically(path, std::as_bytes(std::span(found->second))));
  const auto remove = [path](const void*) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  };
  return ModelFile{path, std::shared_ptr<const void>(nullptr, remove)};
}

}  // namespace hansa::server
