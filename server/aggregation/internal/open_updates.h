// Open updates that are read only when they are complete: each client's ticket and spool.
//
// One thread. The pool outlives it.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/update_setup.h"

namespace hansa::server::internal {

// Fails (protocol) if the bytes do not have the ticket's checksum, (internal) if they are not complete.
[[nodiscard]] Result<void> require_offered(const Spool& spool, const UpdateTicket& ticket);

class OpenUpdates {
 public:
  struct Open {
    UpdateTicket ticket;
    Spool spool;
  };

  explicit OpenUpdates(SpoolPool& pool) : pool_(pool) {}

  // Whether an update of this size would be stored in memory.
  [[nodiscard]] bool has_room(std::uint64_t bytes) const { return pool_.has_room(bytes); }
  // Fails as Spool::create does.
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket);
  // Fails as Spool::append does.
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes);
  // Closes the client's update and returns it. Fails as require_offered does; the update is closed in any case.
  [[nodiscard]] Result<Open> take(std::string_view client);
  void drop(std::string_view client);
  void drop_all() { open_.clear(); }
  [[nodiscard]] bool empty() const { return open_.empty(); }

 private:
  SpoolPool& pool_;
  std::map<std::string, Open, std::less<>> open_;  // by client
};

}  // namespace hansa::server::internal
