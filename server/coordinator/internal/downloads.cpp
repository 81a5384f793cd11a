#include "server/coordinator/internal/downloads.h"

#include <algorithm>

#include "protocols/round/flow_window.h"

namespace hansa::server {

std::uint64_t pulled_range(const messages::Pull& pull, std::uint64_t blob_bytes, std::uint32_t chunk_bytes) {
  constexpr std::uint64_t chunks_max = 16;
  if (pull.offset >= blob_bytes) return 0;
  return std::min({blob_bytes - pull.offset, std::uint64_t{pull.bytes}, chunks_max * chunk_bytes});
}

Reply send_range(const messages::Pull& pull, std::uint64_t blob_bytes, std::uint32_t chunk_bytes,
                 const Session& session, Turn& turn) {
  if (pull.offset >= blob_bytes) return Reply::violation("it pulls from beyond the end of a blob");
  const std::uint64_t range = pulled_range(pull, blob_bytes, chunk_bytes);
  const std::uint64_t chunk = round::chunk_of_range(range, chunk_bytes);
  for (std::uint64_t sent = 0; sent < range; sent += chunk)
    turn.effects.emplace_back(
        SendBlob{session.peer, session.id, pull.blob, pull.offset + sent, std::min(chunk, range - sent)});
  return Verdict::accepted;
}

}  // namespace hansa::server
