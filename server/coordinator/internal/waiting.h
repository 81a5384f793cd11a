// What a federation waits for that has too few clients for a round: its clients, or new data of theirs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/coordinator/internal/stage.h"

namespace hansa::server {

struct Waiting {
  enum class For : std::uint8_t { clients, new_data } what = For::clients;
  // Admitted clients that cannot take part, sorted, with the reason where the client is connected.
  std::vector<std::string> missing;
  std::string text;  // "new data: 1 of 3 clients has some"
  std::string hint;  // what the operator can do
};

// ready: the number of clients that can take part.
[[nodiscard]] Waiting describe_waiting(const Shared& shared, std::size_t ready, Instant now);

}  // namespace hansa::server
