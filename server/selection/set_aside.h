// Which clients have declined a task for a reason of their own, and when they are asked again.
//
// Two reasons. A task that failed through the client's data, memory, model or settings is asked for again after a pause
// that doubles, at first 2 s or as long as the failed attempt took, up to an hour; and at once when the client's data
// report changes or its process is new. A client that trains only on new data and has none is asked again when it
// reports some. Its update uses its new data up, so that it has none until it reports some again.
//
// Unlike Reliability, which protects the rounds from clients that disturb them, this is about clients that say
// themselves that they cannot train. So it does not depend on how many others remain. Early ends of a pause are
// limited, so that a client cannot decline in a loop. Kept in memory. Pure: no clock. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/token_bucket.h"

namespace hansa::server {

struct SetAsideConfig {
  Duration pause_min = std::chrono::seconds(2);
  Duration pause_max = std::chrono::hours(1);
  RateLimit early{3, 1.0 / 60};  // ends of a pause by a changed data report or a new process
};

class SetAside {
 public:
  enum class Why : std::uint8_t { task_failed, no_new_data };
  struct Held {
    Why why = Why::task_failed;
    std::string reason;
  };

  explicit SetAside(const SetAsideConfig& config = {}) : config_(config) {}

  // The client declined a task after `cost`. Returns the pause.
  Duration on_failed(std::string_view client, std::string reason, Duration cost, Instant now);
  // The client declined because it trains only on new data. new_examples: what it reported last.
  void on_nothing_new(std::string_view client, std::uint64_t new_examples, Instant now);
  // The client's data report has changed. True: it is asked again at once.
  bool on_report(std::string_view client, std::uint64_t new_examples, Instant now);
  // The client's process is a new one, whose data or settings may be corrected. True: it is asked again at once.
  bool on_restarted(std::string_view client, Instant now);
  // An update of the client is in a committed round. True: its tasks had failed before.
  bool on_counted(std::string_view client, std::uint64_t new_examples, Instant now);
  void forget(std::string_view client);

  // Null if the client is not set aside at the moment.
  [[nodiscard]] const Held* find(std::string_view client, Instant now) const;
  // The end of the pause that ends first, after `now`; Instant::max() if there is none.
  [[nodiscard]] Instant next_return(Instant now) const;

 private:
  struct State {
    explicit State(const RateLimit& limit) : early(limit) {}
    Held held;
    Duration pause{};  // the last one; zero: none since its last counted update
    Instant until{};  // Instant::max(): until its report changes
    bool trains_only_on_new = false;
    bool has_declined = false;  // since its last counted update
    TokenBucket early;
  };
  using States = std::map<std::string, State, std::less<>>;
  State& state_of(std::string_view client);
  Duration next_pause(State& state, Duration at_least) const;
  bool end_early(State& state, Instant now);

  SetAsideConfig config_;
  States states_;  // of clients that have declined
};

}  // namespace hansa::server
