// Uploads: clients send their updates by grant. No client may send bytes that were not granted. A pure state machine.
//
//   none -offer-> waiting -grant-> granted -last byte-> complete -checked-> none
//   waiting, granted -release (session changed)-> none: the bytes that have arrived stay, for the next offer of the
//   same update
//
// At most uploads_max clients send at the same time, in the order of their offers; the link of each decides how many
// bytes are in flight (protocols/round/flow_window.h). Every state x event pair: docs/round.md. No I/O, clock or
// thread.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/round/flow_window.h"
#include "server/aggregation/update_setup.h"
#include "server/coordinator/internal/turn.h"

namespace hansa::server {

enum class UploadState : std::uint8_t { none, waiting, granted, complete };

struct UploadLimits {
  std::uint32_t uploads_max = 8;  // received at the same time
  std::uint64_t memory_bytes = 160 << 20;  // kept in memory before files are used
  std::uint32_t chunk_bytes = 256 * 1024;
};

class Uploads {
 public:
  explicit Uploads(const UploadLimits& limits) : limits_(limits) {}

  // ticket: the offered update. Discarded while an upload of the client is waiting or granted.
  Verdict on_offer(const UpdateTicket& ticket, TaskId task, Turn& turn);

  struct ChunkOutcome {
    Verdict verdict = Verdict::accepted;  // rejected: a violation
    const char* violation = "";
    bool completed = false;  // it was the update's last chunk
  };
  // Emits AppendUpdate, and a Grant when half of the credit is used. The caller emits CountUpdate for a complete update.
  [[nodiscard]] ChunkOutcome on_chunk(std::string_view client, std::uint64_t offset, std::uint64_t bytes,
                                      Turn& turn);
  // The complete update was counted or rejected, and the shell has released it.
  void on_checked(std::string_view client);
  // Frees the client's upload slot, because its session changed or its upload is over.
  void release(std::string_view client);
  // Drops the client's update; its window stays.
  void drop(std::string_view client, Turn& turn);
  // Drops the updates of all clients; windows stay. For the end of a round.
  void drop_all(Turn& turn);
  // Grants waiting uploads in the order of the queue, as far as slots and memory allow.
  void grant_waiting(Turn& turn);

  [[nodiscard]] UploadState state(std::string_view client) const;
  // Whether the client has an open update.
  [[nodiscard]] bool is_open(std::string_view client) const;
  [[nodiscard]] std::uint64_t received(std::string_view client) const;
  // The size of the last offered update; 0 without an offer.
  [[nodiscard]] std::uint64_t offered_bytes(std::string_view client) const;
  // When the next waiting upload may be granted; Instant::max() if no upload waits only for time.
  [[nodiscard]] Instant next_tick() const;

 private:
  struct Upload {
    UploadState state = UploadState::none;
    TaskId task;
    UpdateTicket ticket;
    bool open = false;  // OpenUpdate was emitted, and the update was not released
    std::uint64_t received = 0;
    std::uint64_t granted = 0;  // bytes up to which the client may send
    Instant granted_at;
    Instant waiting_since;
  };
  struct Entry {
    Upload upload;
    round::FlowWindow window;  // the last measurement of the client's link
    bool queued = false;
  };

  [[nodiscard]] const Upload* find(std::string_view client) const;
  // Earliest time at which a waiting upload may be granted.
  [[nodiscard]] Instant earliest_grant(const Upload& upload) const;
  [[nodiscard]] std::uint64_t window_cap() const;
  void grant(const std::string& client, Entry& entry, Turn& turn);
  void close(Upload& upload);

  UploadLimits limits_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::deque<std::string> queue_;
  std::uint32_t granted_ = 0;  // uploads in state granted
  std::uint64_t open_bytes_ = 0;  // total size of all open updates
};

}  // namespace hansa::server
