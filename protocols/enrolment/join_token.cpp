#include "protocols/enrolment/join_token.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/base32.h"
#include "common/config/name_check.h"
#include "common/transcript.h"
#include "protocols/enrolment/internal/bytes.h"
#include "protocols/transport/client_channel.h"
#include "protocols/transport/key_bytes.h"

namespace hansa::enrolment {
namespace {

constexpr std::string_view prefix = "HANSA1";
constexpr std::uint8_t version = 1;
constexpr std::uint8_t flag_secure = 1, flag_active = 2, flags_known = 3;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t characters_max = 2'048;
constexpr const char* again_hint =
    "copy the whole line that \"hansa invite\" printed, or ask for another token";

std::array<std::uint8_t, checksum_bytes> checksum_of(std::span<const std::uint8_t> bytes) {
  const Digest digest = Transcript("hansa join token 1").bytes(bytes).digest();
  std::array<std::uint8_t, checksum_bytes> out{};
  std::copy_n(digest.bytes.begin(), out.size(), out.begin());
  return out;
}

tl::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::usage, "the join token", std::move(what), again_hint);
}

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out += c;
  return out;
}

bool starts_with_prefix(std::string_view text) {
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix, [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

}  // namespace

Result<std::string> text_of(const JoinToken& token) {
  HANSA_TRY_VOID(config::check_name(token.federation, "the federation's name"));
  HANSA_TRY_VOID(transport::check_aggregator_address(token.address));
  if (token.address.size() > internal::text_bytes_max)
    return fail(ErrorCode::usage, token.address, "is too long for a token", "use a shorter host name");
  HANSA_TRY(const auto key, transport::raw_bytes(token.aggregator));
  internal::ByteWriter out;
  const bool active = token.terms.threat_model == secure_aggregation::ThreatModel::active;
  out.number(version, 1);
  out.number((token.terms.secure ? flag_secure : 0U) | (active ? flag_active : 0U), 1);
  out.number(token.terms.honest_min.value_or(0), 2);
  out.bytes(token.id);
  out.bytes(token.secret.bytes());
  out.bytes(key);
  out.bytes(token.root);
  out.text(token.federation);
  out.text(token.address);
  out.bytes(checksum_of(out.out()));
  std::string text = std::string(prefix) + to_base32(out.out());
  wipe(out.out());
  return text;
}

Result<JoinToken> parse_join_token(std::string_view text) {
  if (text.size() > characters_max) return malformed("is too long");
  const std::string compact = without_blanks(text);
  if (!starts_with_prefix(compact)) return malformed("does not start with HANSA1");
  auto bytes = from_base32(std::string_view(compact).substr(prefix.size()));
  if (!bytes || bytes->size() <= checksum_bytes)
    return malformed("is cut short, or has a character too many");
  const std::span<const std::uint8_t> all(*bytes);
  const auto body = all.first(all.size() - checksum_bytes);
  if (!std::ranges::equal(checksum_of(body), all.last(checksum_bytes)))
    return malformed("was altered: its checksum is wrong");
  internal::ByteReader in(body);
  if (in.number(1) != version)
    return fail(ErrorCode::usage, "the join token", "was made by another version of Hansa",
                "install the aggregator's version of hansa-client");
  JoinToken out;
  const auto flags = in.number(1);
  out.terms.secure = (flags & flag_secure) != 0;
  if ((flags & flag_active) != 0) out.terms.threat_model = secure_aggregation::ThreatModel::active;
  if (const auto honest_min = in.number(2); honest_min != 0)
    out.terms.honest_min = static_cast<std::uint16_t>(honest_min);
  in.bytes(out.id);
  in.bytes(out.secret.bytes());
  std::array<std::uint8_t, 32> key{};
  in.bytes(key);
  in.bytes(out.root);
  out.federation = in.text();
  out.address = in.text();
  wipe(*bytes);
  if (in.failed() || !in.at_end() || (flags & ~std::uint64_t{flags_known}) != 0)
    return malformed("is not one that this version understands");
  HANSA_TRY_VOID(config::check_name(out.federation, "the join token's federation"));
  if (auto checked = transport::check_aggregator_address(out.address); !checked)
    return malformed("has an address that " + checked.error().what);
  out.aggregator = transport::public_key_of(key);
  return out;
}

Digest digest_of(const TokenId& id, const TokenSecret& secret) {
  return Transcript("hansa join secret 1").bytes(id).bytes(secret.bytes()).digest();
}

bool equal(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

Result<void> fill_random(JoinToken& token) {
  if (RAND_bytes(token.id.data(), static_cast<int>(token.id.size())) != 1 ||
      RAND_priv_bytes(token.secret.bytes().data(), static_cast<int>(TokenSecret::size)) != 1)
    return fail(ErrorCode::internal, "OpenSSL", "gives no random bytes");
  return {};
}

}  // namespace hansa::enrolment
