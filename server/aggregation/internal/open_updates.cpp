#include "server/aggregation/internal/open_updates.h"

#include <cassert>
#include <utility>

namespace hansa::server::internal {

Result<void> require_offered(const Spool& spool, const UpdateTicket& ticket) {
  if (!spool.complete()) return fail(ErrorCode::internal, ticket.client, "its update is not complete");
  if (spool.checksum() != ticket.checksum)
    return fail(ErrorCode::protocol, "update", "does not match the checksum that was offered");
  return {};
}

Result<void> OpenUpdates::open(const UpdateTicket& ticket) {
  assert(!open_.contains(ticket.client));
  HANSA_TRY(auto spool, Spool::create(pool_, ticket.bytes));
  open_.emplace(ticket.client, Open{ticket, std::move(spool)});
  return {};
}

Result<void> OpenUpdates::append(std::string_view client, std::span<const std::byte> bytes) {
  const auto found = open_.find(client);
  assert(found != open_.end());
  return found->second.spool.append(bytes);
}

Result<OpenUpdates::Open> OpenUpdates::take(std::string_view client) {
  const auto found = open_.find(client);
  assert(found != open_.end());
  Open open = std::move(found->second);
  open_.erase(found);
  HANSA_TRY_VOID(require_offered(open.spool, open.ticket));
  return open;
}

void OpenUpdates::drop(std::string_view client) {
  if (const auto found = open_.find(client); found != open_.end()) open_.erase(found);
}

}  // namespace hansa::server::internal
