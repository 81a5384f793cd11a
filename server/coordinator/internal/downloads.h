// Downloads: clients pull blobs. No client is sent bytes of a blob that it has not pulled.
#pragma once
#include <cstdint>

#include "protocols/messages/messages.h"
#include "server/coordinator/internal/reply.h"
#include "server/coordinator/internal/sessions.h"
#include "server/coordinator/internal/turn.h"

namespace hansa::server {

// The number of bytes that a Pull returns from a blob of blob_bytes: at most up to its end, and at most 16 chunks
// (docs/protocol.md).
[[nodiscard]] std::uint64_t pulled_range(const messages::Pull& pull, std::uint64_t blob_bytes,
                                         std::uint32_t chunk_bytes);

// Emits SendBlob for each chunk of the pulled range. A Pull from beyond the end is a violation.
[[nodiscard]] Reply send_range(const messages::Pull& pull, std::uint64_t blob_bytes,
                               std::uint32_t chunk_bytes, const Session& session, Turn& turn);

}  // namespace hansa::server
