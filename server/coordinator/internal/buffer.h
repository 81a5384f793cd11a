// The buffer of updates from which the next model is made: which updates were counted, in which order, and what became of
// the tasks that ended meanwhile.
//
// The values of the updates are in the shell's sum (server/aggregation/buffered_form.h). No I/O, clock or thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "server/coordinator/internal/trainees.h"
#include "server/store/store.h"

namespace hansa::server {

class Buffer {
 public:
  explicit Buffer(RoundId round) : round_(round) {}

  // The client's update is in the sum. A client may have several updates in a buffer: its participation has the sums.
  void count(const CoordinatorConfig& config, const std::string& client, const Trainee& trainee,
             std::uint64_t weight);
  // A task of the client ended without an update. Recorded unless an update of it is in the buffer.
  void lose(const std::string& client, Outcome outcome, std::string reason);

  // The round that the buffer will make.
  [[nodiscard]] RoundId round() const { return round_; }
  [[nodiscard]] std::uint32_t counted() const { return static_cast<std::uint32_t>(arrivals_.size()); }
  [[nodiscard]] const std::map<std::string, Participation, std::less<>>& participations() const {
    return participations_;
  }
  // Updates of this client in the buffer.
  [[nodiscard]] std::uint32_t counted_of(std::string_view client) const;
  // Without the model and the times, which are not known here.
  [[nodiscard]] RoundRecord record(const Digest& base) const;

 private:
  RoundId round_;
  std::vector<Arrival> arrivals_;
  std::map<std::string, Participation, std::less<>> participations_;
  std::map<std::string, std::uint32_t, std::less<>> counted_of_;
};

// Updates of one client that may be in a buffer of `updates`, if this many clients may take part, at least 1: twice an equal
// share, rounded up. So no client makes a model by itself because it answers faster than the others, and the faster half of
// the clients can still fill a buffer without the slower one.
[[nodiscard]] constexpr std::uint32_t updates_max_of_client(std::uint32_t updates, std::size_t clients) {
  const std::uint64_t twice = 2 * std::uint64_t{updates};
  return static_cast<std::uint32_t>((twice + clients - 1) / clients);
}

}  // namespace hansa::server
