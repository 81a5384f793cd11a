#include "common/sandbox/internal/landlock.h"

#include <array>
#include <cstdint>

#include <sys/syscall.h>
#include <unistd.h>

#include "common/descriptor.h"

namespace hansa::sandbox::internal {
namespace {

// The numbers are equal on every processor.
constexpr long create_ruleset = 444;
constexpr long restrict_self = 446;
constexpr unsigned ask_version = 1;

// struct landlock_ruleset_attr of version 6. An older kernel accepts it if the fields that it does not know are zero.
struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

Ruleset all_rights(long version) {
  // File rights that the versions 1 to 5 of the interface know, as a number of bits from 0 on.
  constexpr std::array<unsigned, 5> file_rights{13, 14, 15, 15, 16};
  Ruleset out;
  const auto index = static_cast<std::size_t>(version > 5 ? 5 : version) - 1;
  out.files = (std::uint64_t{1} << file_rights[index]) - 1;
  if (version >= 4) out.network = 3;  // bind and connect
  if (version >= 6) out.scoped = 3;  // abstract sockets and signals
  return out;
}

}  // namespace

Landlock deny_everything() {
  const long version = ::syscall(create_ruleset, nullptr, std::size_t{0}, ask_version);
  if (version < 1) return Landlock::absent;
  const Ruleset rules = all_rights(version);
  const Descriptor ruleset(static_cast<int>(::syscall(create_ruleset, &rules, sizeof rules, 0U)));
  if (!ruleset || ::syscall(restrict_self, ruleset.get(), 0U) != 0) return Landlock::absent;
  return Landlock::held;
}

}  // namespace hansa::sandbox::internal
