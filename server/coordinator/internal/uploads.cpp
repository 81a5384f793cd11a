#include "server/coordinator/internal/uploads.h"

#include <algorithm>

namespace hansa::server {
namespace {

constexpr std::uint64_t chunks_in_flight = 8;  // upload credit
// If there is no room in memory, an upload waits this long for another one to free some. A short wait costs less than a
// file, and slow clients delay the others by no more than this.
constexpr Duration memory_wait_max = std::chrono::milliseconds(500);
// While a window is in flight for a long time, the client is sent a Grant this often, so that it knows that its bytes
// are arriving.
constexpr Duration progress_interval = std::chrono::seconds(5);

bool same_update(const UpdateTicket& a, const UpdateTicket& b) {
  return a.checksum == b.checksum && a.bytes == b.bytes && a.weight == b.weight && a.index == b.index &&
         a.sum == b.sum;
}

}  // namespace

Verdict Uploads::on_offer(const UpdateTicket& ticket, TaskId task, Turn& turn) {
  Entry& entry = entries_.try_emplace(ticket.client).first->second;
  Upload& upload = entry.upload;
  if (upload.state == UploadState::granted || upload.state == UploadState::waiting) return Verdict::discarded;
  // The open update has the content of an earlier offer.
  if (upload.open && !same_update(upload.ticket, ticket)) {
    turn.effects.emplace_back(DropUpdate{ticket.client});
    close(upload);
    upload = Upload{};
  }
  upload.ticket = ticket;
  upload.task = task;
  upload.state = UploadState::waiting;
  upload.waiting_since = turn.now;
  // A client that waited in an earlier session keeps its place in the queue, so that the queue has at most as many
  // entries as the cohort.
  if (!entry.queued) queue_.push_back(ticket.client);
  entry.queued = true;
  grant_waiting(turn);
  return Verdict::accepted;
}

void Uploads::grant_waiting(Turn& turn) {
  while (granted_ < limits_.uploads_max && !queue_.empty()) {
    auto& [client, entry] = *entries_.find(queue_.front());
    Upload& upload = entry.upload;
    if (upload.state == UploadState::waiting && turn.now < earliest_grant(upload)) return;
    queue_.pop_front();
    entry.queued = false;
    if (upload.state != UploadState::waiting) continue;
    upload.state = UploadState::granted;
    ++granted_;
    if (!upload.open) {
      upload.open = true;
      upload.received = 0;
      open_bytes_ += upload.ticket.bytes;
      turn.effects.emplace_back(OpenUpdate{upload.ticket});
    }
    if (upload.granted > upload.received) entry.window.resume(turn.now);
    else entry.window.begin(turn.now);
    upload.granted = upload.received;
    grant(client, entry, turn);
  }
}

Instant Uploads::earliest_grant(const Upload& upload) const {
  const bool fits =
      upload.open || open_bytes_ == 0 || open_bytes_ + upload.ticket.bytes <= limits_.memory_bytes;
  return fits ? upload.waiting_since : upload.waiting_since + memory_wait_max;
}

std::uint64_t Uploads::window_cap() const { return chunks_in_flight * limits_.chunk_bytes; }

// Extends the credit when half of it is used, so that one Grant serves several chunks.
void Uploads::grant(const std::string& client, Entry& entry, Turn& turn) {
  Upload& upload = entry.upload;
  const std::uint64_t window = std::min(entry.window.bytes(), window_cap());
  std::uint64_t limit = std::max(upload.granted, std::min(upload.ticket.bytes, upload.received + window));
  const bool too_little =
      upload.granted > upload.received && limit < upload.ticket.bytes && limit - upload.granted < window / 2;
  if (limit == upload.granted || too_little) {
    if (turn.now - upload.granted_at < progress_interval) return;
    limit = upload.granted;
  }
  turn.send(client, messages::Grant{upload.task, upload.granted, limit});
  upload.granted = limit;
  upload.granted_at = turn.now;
}

Uploads::ChunkOutcome Uploads::on_chunk(std::string_view client, std::uint64_t offset, std::uint64_t bytes,
                                        Turn& turn) {
  const auto found = entries_.find(client);
  const auto violation = [](const char* what) { return ChunkOutcome{Verdict::rejected, what, false}; };
  if (found == entries_.end() || found->second.upload.state != UploadState::granted)
    return violation("it sends bytes that were not granted");
  Entry& entry = found->second;
  Upload& upload = entry.upload;
  if (bytes == 0 || bytes > limits_.chunk_bytes) return violation("a chunk of its update has a wrong size");
  if (offset != upload.received) return violation("a chunk of its update is out of order");
  if (bytes > upload.granted - upload.received) return violation("it sends more bytes than were granted");
  turn.effects.emplace_back(AppendUpdate{found->first});
  upload.received += bytes;
  entry.window.arrived(bytes, window_cap(), turn.now);
  if (upload.received < upload.ticket.bytes) {
    grant(found->first, entry, turn);
    return {};
  }
  upload.state = UploadState::complete;
  --granted_;
  return {Verdict::accepted, "", true};
}

void Uploads::on_checked(std::string_view client) {
  if (const auto found = entries_.find(client); found != entries_.end()) close(found->second.upload);
}

void Uploads::close(Upload& upload) {
  if (!upload.open) return;
  upload.open = false;
  open_bytes_ -= upload.ticket.bytes;
}

void Uploads::release(std::string_view client) {
  const auto found = entries_.find(client);
  if (found == entries_.end()) return;
  Upload& upload = found->second.upload;
  if (upload.state == UploadState::granted) --granted_;
  if (upload.state == UploadState::granted || upload.state == UploadState::waiting)
    upload.state = UploadState::none;
}

void Uploads::drop(std::string_view client, Turn& turn) {
  const auto found = entries_.find(client);
  if (found == entries_.end()) return;
  release(client);
  Upload& upload = found->second.upload;
  if (upload.open) turn.effects.emplace_back(DropUpdate{found->first});
  close(upload);
  upload = Upload{};
}

void Uploads::drop_all(Turn& turn) {
  for (auto& [client, entry] : entries_) {
    if (entry.upload.open) turn.effects.emplace_back(DropUpdate{client});
    entry.upload = Upload{};
    entry.queued = false;
  }
  queue_.clear();
  granted_ = 0;
  open_bytes_ = 0;
}

const Uploads::Upload* Uploads::find(std::string_view client) const {
  const auto found = entries_.find(client);
  return found == entries_.end() ? nullptr : &found->second.upload;
}

UploadState Uploads::state(std::string_view client) const {
  const Upload* upload = find(client);
  return upload == nullptr ? UploadState::none : upload->state;
}

bool Uploads::is_open(std::string_view client) const {
  const Upload* upload = find(client);
  return upload != nullptr && upload->open;
}

std::uint64_t Uploads::received(std::string_view client) const {
  const Upload* upload = find(client);
  return upload == nullptr ? 0 : upload->received;
}

std::uint64_t Uploads::offered_bytes(std::string_view client) const {
  const Upload* upload = find(client);
  return upload == nullptr ? 0 : upload->ticket.bytes;
}

Instant Uploads::next_tick() const {
  if (granted_ >= limits_.uploads_max || queue_.empty()) return Instant::max();
  const Upload& first = entries_.find(queue_.front())->second.upload;
  return first.state == UploadState::waiting ? earliest_grant(first) : Instant::max();
}

}  // namespace hansa::server
