// The buffer of updates from which the next model is made: which updates were counted, in which order, and what became of
// the tasks that ended meanwhile.
//
// The values of the updates are in the shell's sum (server/aggregation/buffered_form.h). No I/O, clock or thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
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
  // Without the model and the times, which are not known here.
  [[nodiscard]] RoundRecord record(const Digest& base) const;

 private:
  RoundId round_;
  std::vector<Arrival> arrivals_;
  std::map<std::string, Participation, std::less<>> participations_;
};

}  // namespace hansa::server
