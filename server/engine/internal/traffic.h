// Counts the bytes of messages and bulk: in total, and for each client in the current attempt at a round.
//
// One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "common/identifiers.h"
#include "server/store/store.h"

namespace hansa::server::internal {

class Traffic {
 public:
  void received(PeerId peer, std::string_view client, std::uint64_t bytes);
  void sent(PeerId peer, std::uint64_t bytes);
  void forget(PeerId peer);
  void forget_client(std::string_view client);
  [[nodiscard]] std::size_t peers() const { return client_of_.size(); }
  // Resets the clients' counters; the totals stay.
  void begin_round() { of_round_.clear(); }
  // Fills in the bytes of each participation's client.
  void fill_in(std::span<Participation> participations) const;

  [[nodiscard]] std::uint64_t up() const { return total_.up; }
  [[nodiscard]] std::uint64_t down() const { return total_.down; }

 private:
  struct Bytes {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
  };
  // Limits the table for a client that reconnects repeatedly; the transport forgets its old peers in the same way.
  static constexpr std::size_t peers_per_client_max = 8;
  void remember(PeerId peer, std::string_view client);

  Bytes total_;
  std::map<PeerId, std::string> client_of_;  // the client of the last message from a peer
  std::map<std::string, std::deque<PeerId>, std::less<>> peers_of_;  // the newest at the end
  std::map<std::string, Bytes, std::less<>> of_round_;
};

}  // namespace hansa::server::internal
