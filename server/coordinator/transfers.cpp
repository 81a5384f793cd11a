// Transfers: models out by pull, updates in by grant. Nobody sends bulk unasked.
#include <algorithm>

#include "server/coordinator/coordinator.h"
#include "server/coordinator/internal/member.h"
#include "server/coordinator/internal/secure_round.h"

namespace hansa::server {

namespace {
constexpr std::uint64_t chunks_in_flight = 8;  // upload credit
constexpr std::uint64_t pull_chunks_max = 16;  // of one Pull; docs/protocol.md
// What finds no room in memory waits so long for one that is on its way: a file costs more than a short wait, and
// slow clients do not hold up the others for longer.
constexpr Duration memory_wait_max = std::chrono::milliseconds(500);
// A client whose window is long on its way hears so often that it arrives.
constexpr Duration progress_told_each = std::chrono::seconds(5);
}  // namespace

// Of the published model and the deltas to it; 0: it is none of these.
std::uint64_t Coordinator::model_blob_bytes(const Digest& blob) const {
  if (blob == published_.model) return config_.elements * sizeof(float);
  const auto delta = std::ranges::find(published_.deltas, blob, &messages::ModelDelta::blob);
  return delta == published_.deltas.end() ? 0 : delta->bytes;
}

UpdateSizes Coordinator::update_sizes() const {
  if (secure_) return secure_->sizes;
  const auto& uplink = config_.compression.uplink;
  return uplink ? encoded_update_sizes(*uplink) : float32_update_sizes(config_.elements);
}

// Why no update can have that size; empty: one can.
std::string Coordinator::wrong_size(std::uint64_t bytes) const {
  const UpdateSizes sizes = update_sizes();
  if (sizes.has(bytes)) return {};
  return "its update has " + std::to_string(bytes) + " bytes, " +
         (sizes.least == sizes.most ? "the model needs " + std::to_string(sizes.most)
                                    : "and an encoded one has " + std::to_string(sizes.most) + " at most");
}

Coordinator::Verdict Coordinator::on_pull(Member& m, const messages::Pull& pull) {
  std::uint64_t size = 0;
  if (pull.blob == config_.archive) size = config_.archive_bytes;
  else if (phase_ == Phase::in_round) size = model_blob_bytes(pull.blob);
  if (size == 0) {
    // An older model: the client has not yet heard that its round is closed.
    send(m, messages::Missing{pull.blob});
    return Verdict::discarded;
  }
  if (pull.offset >= size) return violation(m, "it pulls from beyond the end of a blob");
  const std::uint64_t range =
      std::min({size - pull.offset, std::uint64_t{pull.bytes}, pull_chunks_max * config_.chunk_bytes});
  // Who pulls the same again and again does not get on.
  m.pulled += range;
  if (m.pulled <= 4 * (config_.archive_bytes + config_.elements * sizeof(float))) m.moved_at = now_;
  const std::uint64_t chunk = round::chunk_of_range(range, config_.chunk_bytes);
  for (std::uint64_t sent = 0; sent < range; sent += chunk)
    effects_->emplace_back(SendBlob{m.session->peer, m.session->id, pull.blob, pull.offset + sent,
                                    std::min(chunk, range - sent)});
  return Verdict::accepted;
}

Coordinator::Verdict Coordinator::on_offer(Member& m, const messages::Offer& offer) {
  if (phase_ != Phase::in_round || !m.place || offer.task != m.task) {
    send(m, messages::Receipt{offer.task, messages::Verdict::late, "the round is closed"});
    return Verdict::discarded;
  }
  // Masked for an attempt that was abandoned: the one in work asks for another.
  if (secure_ && offer.setup != secure_->id) return Verdict::discarded;
  const auto state = round_->members()[m.place->value].state;
  // Its receipt is on its way.
  if (state == round::MemberState::verifying) return Verdict::discarded;
  if (state == round::MemberState::counted) {
    send(m, messages::Receipt{offer.task, messages::Verdict::counted, {}});
    return Verdict::discarded;
  }
  if (state == round::MemberState::declined || state == round::MemberState::rejected) {
    send(m,
         messages::Receipt{offer.task, messages::Verdict::rejected, "it was refused before in this round"});
    return Verdict::discarded;
  }
  if (const std::string wrong = wrong_size(offer.bytes); !wrong.empty()) {
    reject_update(m, wrong);
    return Verdict::rejected;
  }
  if (secure_) {
    const auto position = position_in_sum(m);
    if (!position || !secure_->sum.expects_masked_of(*position)) {
      reject_update(m, "its masked update came before the shares were exchanged");
      return Verdict::rejected;
    }
  } else if (offer.examples == 0 || offer.examples > config_.limits.examples_max) {
    reject_update(m, "it counts " + std::to_string(offer.examples) +
                         " examples; limits.examples_max allows 1 to " +
                         std::to_string(config_.limits.examples_max));
    return Verdict::rejected;
  }
  if (m.upload.state == UploadState::granted || m.upload.state == UploadState::waiting)
    return Verdict::discarded;
  // The update is opened with what was offered.
  if (m.upload.has_spool && (m.upload.offer.update != offer.update || m.upload.offer.bytes != offer.bytes ||
                             m.upload.offer.examples != offer.examples)) {
    drop_spool(m);
    m.upload = Upload{};
  }
  m.upload.offer = offer;
  m.upload.state = UploadState::waiting;
  m.upload.waiting_since = now_;
  // One that waited in an earlier session keeps its place, and the queue stays within the cohort.
  if (!m.queued) upload_queue_.push_back(m.name);
  m.queued = true;
  grant_waiting();
  return Verdict::accepted;
}

void Coordinator::grant_waiting() {
  while (phase_ == Phase::in_round && uploads_ < config_.limits.uploads_max && !upload_queue_.empty()) {
    Member& m = member(upload_queue_.front());
    if (m.upload.state == UploadState::waiting && now_ < earliest_grant(m)) return;
    upload_queue_.pop_front();
    m.queued = false;
    if (m.upload.state != UploadState::waiting) continue;
    m.upload.state = UploadState::granted;
    ++uploads_;
    if (!m.upload.has_spool) {
      m.upload.has_spool = true;
      m.upload.received = 0;
      spooled_bytes_ += m.upload.offer.bytes;
      effects_->emplace_back(OpenUpdate{make_ticket(m)});
    }
    if (m.upload.granted > m.upload.received) m.window.resume(now_);
    else m.window.begin(now_);
    m.upload.granted = m.upload.received;
    grant(m);
  }
}

// For one that waits.
Instant Coordinator::earliest_grant(const Member& m) const {
  const std::uint64_t memory = config_.limits.spool_memory_mib << 20;
  const bool fits =
      m.upload.has_spool || spooled_bytes_ == 0 || spooled_bytes_ + m.upload.offer.bytes <= memory;
  return fits ? m.upload.waiting_since : m.upload.waiting_since + memory_wait_max;
}

void Coordinator::clear_upload_queue() {
  for (const std::string& name : upload_queue_) member(name).queued = false;
  upload_queue_.clear();
}

void Coordinator::drop_spool(Member& m) {
  if (!m.upload.has_spool) return;
  m.upload.has_spool = false;
  spooled_bytes_ -= m.upload.offer.bytes;
  effects_->emplace_back(DropUpdate{m.name});
}

std::uint64_t Coordinator::window_cap() const {
  return std::uint64_t{chunks_in_flight} * config_.chunk_bytes;
}

// Extends the credit when half of it is used, so that one Grant serves several chunks.
void Coordinator::grant(Member& m) {
  Upload& up = m.upload;
  const std::uint64_t window = std::min(m.window.bytes(), window_cap());
  std::uint64_t limit = std::max(up.granted, std::min(up.offer.bytes, up.received + window));
  const bool too_little =
      up.granted > up.received && limit < up.offer.bytes && limit - up.granted < window / 2;
  if (limit == up.granted || too_little) {
    if (now_ - up.granted_at < progress_told_each) return;
    limit = up.granted;
  }
  send(m, messages::Grant{m.task, up.granted, limit});
  up.granted = limit;
  up.granted_at = now_;
}

UpdateTicket Coordinator::make_ticket(const Member& m) const {
  const messages::Offer& offer = m.upload.offer;
  const std::uint32_t index = secure_ ? *position_in_sum(m) : static_cast<std::uint32_t>(m.place->value);
  return {m.name, index, offer.bytes, offer.update, secure_ ? 0 : offer.examples, training_seed(m)};
}

Coordinator::Verdict Coordinator::on_chunk(Member& m, const messages::UpdateChunk& chunk,
                                           std::uint64_t bulk_bytes) {
  if (phase_ != Phase::in_round || !m.place || chunk.task != m.task) return Verdict::discarded;  // late
  Upload& up = m.upload;
  // Another attempt has the same task: what was granted in the one before may still be on its way.
  if (up.state == UploadState::none && !up.has_spool && attempt_ > 1) return Verdict::discarded;
  if (up.state != UploadState::granted) return violation(m, "it sends bytes that were not granted");
  if (bulk_bytes == 0 || bulk_bytes > config_.chunk_bytes)
    return violation(m, "a chunk of its update has a wrong size: " + std::to_string(bulk_bytes) + " bytes");
  if (chunk.offset != up.received) return violation(m, "a chunk of its update is out of order");
  if (bulk_bytes > up.granted - up.received) return violation(m, "it sends more bytes than were granted");
  effects_->emplace_back(AppendUpdate{m.name});
  up.received += bulk_bytes;
  m.moved_at = now_;
  m.window.arrived(bulk_bytes, window_cap(), now_);
  if (up.received < up.offer.bytes) {
    grant(m);
    return Verdict::accepted;
  }
  up.state = UploadState::complete;
  --uploads_;
  m.seconds = seconds(now_ - m.asked_at);
  apply_to_round(round::UpdateComplete{*m.place});
  effects_->emplace_back(CountUpdate{m.name});
  grant_waiting();
  return Verdict::accepted;
}

Coordinator::Verdict Coordinator::on_checked(const UpdateChecked& event) {
  Member& m = member(event.client);
  if (phase_ != Phase::in_round || !m.place ||
      round_->members()[m.place->value].state != round::MemberState::verifying)
    return Verdict::discarded;
  drop_spool(m);
  grant_waiting();
  Result<void> outcome = event.outcome;
  if (outcome && secure_) outcome = secure_->sum.on_masked(*position_in_sum(m));
  if (!outcome) {
    reject_update(m, outcome.error().text());
    return Verdict::rejected;
  }
  send(m, messages::Receipt{m.task, messages::Verdict::counted, {}});
  apply_to_round(round::UpdateCounted{*m.place});
  return Verdict::accepted;
}

void Coordinator::reject_update(Member& m, const std::string& reason) {
  log(Log::Level::warning, "rejected the update of " + m.name + ": " + reason);
  send(m, messages::Receipt{m.task, messages::Verdict::rejected, reason});
  release_upload(m);
  apply_to_round(round::UpdateRejected{*m.place, reason});
}

Coordinator::Verdict Coordinator::on_decline(Member& m, const messages::Decline& decline) {
  if (!m.place || decline.task != m.task) return Verdict::discarded;
  if (phase_ == Phase::unmasking) {
    log(Log::Level::warning, m.name + " does not help to unmask: " + decline.reason);
    m.left_sum = true;
    return Verdict::accepted;
  }
  if (phase_ != Phase::in_round) return Verdict::discarded;
  log(Log::Level::warning, m.name + " declined: " + decline.reason);
  release_upload(m);
  apply_to_round(round::TaskDeclined{*m.place, decline.reason});
  return Verdict::accepted;
}

// The client's session changed or its upload is over: it holds no upload slot. What has arrived of an
// incomplete update stays in its spool, for the next offer of the same update.
void Coordinator::release_upload(Member& m) {
  if (m.upload.state == UploadState::granted) --uploads_;
  if (m.upload.state == UploadState::granted || m.upload.state == UploadState::waiting)
    m.upload.state = UploadState::none;
  grant_waiting();
}

}  // namespace hansa::server
