// Statements of a federation's root key about other keys: which key the aggregator has, and which root key follows.
// docs/enrolment.md, "Changing keys". A text file, which the aggregator also sends to its clients:
//
//   # comments
//   federation <name>
//   root <former> <new> <issued> <until> <signature by the former> <signature by the new>      0 to 16, in order
//   aggregator <40 characters of Z85> <issued> <from> <signature>                              0 or 1
//
// Keys and signatures of the root are hex digits, times are seconds since 1970, UTC.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

inline constexpr std::size_t root_statements_max = 16;
inline constexpr std::size_t statements_bytes_max = 16'384;

// The aggregator has this key from a time on. Signed: "hansa aggregator statement 1", federation, key, issued, from.
struct AggregatorStatement {
  transport::PublicKey key;
  UtcSeconds issued;
  UtcSeconds from;
  secure_aggregation::Signature signature{};
  friend bool operator==(const AggregatorStatement&, const AggregatorStatement&) = default;
};

// The root key `next` follows the root key `former`, which holds alongside it until a time. Signed by both: "hansa root
// statement 1", federation, former, next, issued, until.
struct RootStatement {
  secure_aggregation::IdentityKey former{};
  secure_aggregation::IdentityKey next{};
  UtcSeconds issued;
  UtcSeconds until;
  secure_aggregation::Signature by_former{};
  secure_aggregation::Signature by_next{};
  friend bool operator==(const RootStatement&, const RootStatement&) = default;
};

struct KeyStatements {
  std::string federation;
  std::vector<RootStatement> roots;
  std::optional<AggregatorStatement> aggregator;
  friend bool operator==(const KeyStatements&, const KeyStatements&) = default;
};

[[nodiscard]] Result<AggregatorStatement> state_aggregator(const secure_aggregation::SigningKey& root,
                                                           std::string_view federation,
                                                           AggregatorStatement unsigned_statement);
[[nodiscard]] Result<RootStatement> state_root(const secure_aggregation::SigningKey& former,
                                               const secure_aggregation::SigningKey& next,
                                               std::string_view federation, UtcSeconds issued,
                                               UtcSeconds until);

// The root keys that a device believes.
struct TrustedRoots {
  secure_aggregation::IdentityKey newest{};
  // The one before, until its time has passed.
  std::optional<secure_aggregation::IdentityKey> former = {};
  [[nodiscard]] bool contains(const secure_aggregation::IdentityKey& root) const {
    return root == newest || (former && root == *former);
  }
  friend bool operator==(const TrustedRoots&, const TrustedRoots&) = default;
};

// Follows the root statements from the pinned root. Statements before it are skipped. Fails (refused) at one that is not
// signed by both keys, or that names a key twice.
[[nodiscard]] Result<TrustedRoots> follow_roots(const KeyStatements& statements,
                                                const secure_aggregation::IdentityKey& pinned,
                                                UtcSeconds now);
// Checks everything: the federation, the root statements, and that a trusted root signed the aggregator's. Fails (refused).
[[nodiscard]] Result<TrustedRoots> check_statements(const KeyStatements& statements,
                                                    std::string_view federation,
                                                    const secure_aggregation::IdentityKey& pinned,
                                                    UtcSeconds now);

// Fails (refused) if `offered` takes back what was accepted: fewer or other root statements, or an older statement about the
// aggregator, or another one of the same time. Both have been checked.
[[nodiscard]] Result<void> check_continues(const KeyStatements& offered, const KeyStatements& accepted);

[[nodiscard]] std::string text_of(const KeyStatements& statements);
// Do not check signatures. Fail with `usage`, naming the line, if the text has another form.
[[nodiscard]] Result<KeyStatements> parse_statements(std::string_view text, std::string_view location);
[[nodiscard]] Result<KeyStatements> read_statements(const std::filesystem::path& file);
// The root keys that hold according to the file; the pinned one alone if there is no file, or it cannot be believed.
[[nodiscard]] TrustedRoots roots_in(const std::filesystem::path& file, std::string_view federation,
                                    const secure_aggregation::IdentityKey& pinned, UtcSeconds now);
// As the aggregator sends them to its clients on the connection for the protocol's messages: 'H' 'K', version 1, type 1, the
// text. A frame of another version, which a later aggregator sends, is one that parse fails at.
[[nodiscard]] std::vector<std::byte> frame_of(const KeyStatements& statements);
[[nodiscard]] bool is_statements_frame(std::span<const std::byte> frame);
[[nodiscard]] Result<KeyStatements> parse_statements_frame(std::span<const std::byte> frame);

// Atomic and durable, with comments.
[[nodiscard]] Result<void> write_statements(const KeyStatements& statements,
                                            const std::filesystem::path& file);

}  // namespace hansa::enrolment
