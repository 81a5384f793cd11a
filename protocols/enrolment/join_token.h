// The join token: what an operator gives to a device so that it can enrol by itself. One line of text, also as a QR code.
//
// It contains a one-time secret, so it is as confidential as a password until it was used. Layout: docs/enrolment.md.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/digest.h"
#include "common/error.h"
#include "common/secret.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/setup.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

using TokenId = std::array<std::uint8_t, 8>;  // names the token; not secret
using TokenSecret = Secret<16>;

// What the device requires of the federation. It comes from the operator, in the token, because the aggregator must not
// weaken it.
struct JoinTerms {
  bool secure = true;  // updates leave the device in secure sums only
  secure_aggregation::ThreatModel threat_model = secure_aggregation::ThreatModel::honest_but_curious;
  std::optional<std::uint16_t> honest_min = {};  // client.toml's; empty: the threat model's
  friend bool operator==(const JoinTerms&, const JoinTerms&) = default;
};

struct JoinToken {
  std::string federation;
  std::string address;  // where the aggregator enrols devices: "tcp://HOST:PORT", at most 255 bytes
  transport::PublicKey aggregator;
  secure_aggregation::IdentityKey root{};
  JoinTerms terms;
  TokenId id{};
  TokenSecret secret;
};

// Fails (usage) if the address or the federation's name cannot be in a token.
[[nodiscard]] Result<std::string> text_of(const JoinToken& token);
// Accepts lower case, and white space anywhere. Fails (usage) with a hint if the text is no token, is of another version,
// or was altered: its checksum finds typing errors.
[[nodiscard]] Result<JoinToken> parse_join_token(std::string_view text);

// The digest under which the aggregator keeps a secret. The secret is random and long, so that one hash is enough.
[[nodiscard]] Digest digest_of(const TokenId& id, const TokenSecret& secret);
// In constant time.
[[nodiscard]] bool equal(const Digest& a, const Digest& b);

// Random identifier and secret. Fails only if OpenSSL has no random bytes.
[[nodiscard]] Result<void> fill_random(JoinToken& token);

}  // namespace hansa::enrolment
