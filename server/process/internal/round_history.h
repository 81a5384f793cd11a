// Collects what rounds show about devices, for the register's history: how fast they train and send, the bytes that they
// moved, and the rounds that were lost with the reason. No I/O; one thread.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/utc.h"
#include "server/register/device_history.h"
#include "server/store/store.h"

namespace hansa::server::internal {

// Measures uploads from the aggregator's side, whatever the client claims.
class UploadMeter {
 public:
  // A client offers an update of this size.
  void on_offer(std::string_view client, std::uint64_t bytes, Instant now);
  // Bytes per second, with the last chunk of an update that arrived without an interruption. The time before the first
  // chunk, in which the client may have had to wait for others, counts only if the update arrived too fast to measure.
  [[nodiscard]] std::optional<double> on_chunk(std::string_view client, std::uint64_t bytes, Instant now);

 private:
  struct Upload {
    std::uint64_t bytes = 0;  // of the whole update
    std::uint64_t received = 0;
    std::uint64_t first_chunk = 0;
    Instant offered_at, first_chunk_at;
  };
  std::map<std::string, Upload, std::less<>>
      uploads_;  // that are not complete; at most one of each admitted client
};

class RoundHistory {
 public:
  using Seen = std::map<std::string, DeviceHistory::Seen>;

  explicit RoundHistory(std::string run) : run_(std::move(run)) {}

  // bulk_bytes: that came with the message.
  void on_message(std::string_view client, std::span<const std::byte> message, std::uint64_t bulk_bytes,
                  Instant now);
  // examples_of: what each client last reported that it has, for rounds whose record does not say it (secure sums).
  void on_committed(const RoundRecord& record, const std::map<std::string, std::uint64_t>& examples_of,
                    UtcSeconds now);
  // What was seen since the last call.
  [[nodiscard]] Seen take();

 private:
  std::string run_;
  UploadMeter meter_;
  Seen seen_;
};

}  // namespace hansa::server::internal
