// The state of a coordinator, for displays.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "common/time.h"
#include "protocols/round/round.h"

namespace hansa::server {

enum class Phase : std::uint8_t { gathering, in_round, unmasking, committing, finished };

// "gathering", "training", "unmasking", "committing", "finished": for logs.
[[nodiscard]] std::string_view name(Phase phase) noexcept;

// An update that a client of the current round sends, or wants to send.
struct UploadProgress {
  std::string client;
  std::uint64_t received = 0, bytes = 0;
  bool is_waiting = false;  // for its turn
};

struct ConnectedClient {
  std::string client;
  // On which no counted update was trained, of its last report; empty: an update was counted since, or the client has not
  // reported.
  std::optional<std::uint64_t> new_examples;
  friend bool operator==(const ConnectedClient&, const ConnectedClient&) = default;
};

struct Progress {
  Phase phase = Phase::gathering;
  RoundId round;  // the current one, or the last
  std::uint32_t rounds = 0;  // 0: no end
  bool all_rounds_done = false;
  std::string why_done;  // "all 20 rounds are done"; empty: they are not
  std::uint32_t attempt = 1;
  std::uint32_t connected = 0;
  std::vector<ConnectedClient> connected_clients;  // those whose connection is there, by name
  std::vector<round::Member> members;  // of the current round
  std::vector<UploadProgress> uploads;  // of the current round, in the order of its members
  // What the sum waits for: "keys of 3 of 10" in secure aggregation, "3 of 10 updates in the buffer"; else empty.
  std::string exchange;
  std::string retry;  // why the attempt before this one was abandoned; empty: it is the first
  std::vector<std::string> missing;  // gathering: admitted clients that cannot take part, and why
  // Gathering: what the round waits for, "for new data: 1 of 3 clients has some, ..."; empty: for nothing
  std::string waits;
  // Gathering: the clients that can take part now, those that a round needs, and those that its start waits for.
  std::uint32_t ready = 0, needed = 0, expected = 0;
  std::optional<Instant>
      starts_at;  // gathering: when the round starts with `ready` clients; empty: they are too few
  // Of cohorts: set aside, with the reason; for faults, with the time that is left.
  std::vector<std::string> left_out;
  Instant now;
  Duration waited{};  // since the phase began
};

}  // namespace hansa::server
