// The hash chain of the audit log.
#include "server/register/device_register.h"

#include <algorithm>

#include "common/transcript.h"

namespace hansa::server {

Digest hash_of(const AuditEntry& entry, const Digest& before) {
  return Transcript("hansa audit 1")
      .bytes(before.bytes)
      .number(entry.number, 8)
      .number(entry.at.value, 8)
      .text(entry.actor)
      .text(entry.act)
      .text(entry.subject)
      .text(entry.details)
      .digest();
}

std::optional<Error> find_break(std::span<const AuditEntry> entries, const std::string& location) {
  Digest before;
  std::uint64_t number = 0;
  for (const AuditEntry& entry : entries) {
    ++number;
    if (entry.number != number)
      return Error{ErrorCode::storage, location,
                   "entry " + std::to_string(number) + " of the audit log is missing",
                   "compare with a copy: someone has changed the file"};
    if (entry.hash != hash_of(entry, before))
      return Error{
          ErrorCode::storage, location,
          "entry " + std::to_string(number) + " of the audit log does not follow from the one before",
          "compare with a copy: someone has changed the file"};
    before = entry.hash;
  }
  return std::nullopt;
}

std::optional<std::size_t> entries_after(std::span<const AuditEntry> entries, const Digest& head) {
  const auto found = std::ranges::find(entries, head, &AuditEntry::hash);
  if (found == entries.end()) return std::nullopt;
  return static_cast<std::size_t>(entries.end() - found) - 1;
}

}  // namespace hansa::server
