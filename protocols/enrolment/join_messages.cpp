#include "protocols/enrolment/join_messages.h"

#include <algorithm>

#include "common/config/name_check.h"
#include "common/text.h"
#include "common/transcript.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/internal/bytes.h"
#include "protocols/enrolment/internal/join_header.h"
#include "protocols/transport/client_channel.h"

namespace hansa::enrolment {
namespace {

using internal::ByteReader;
using internal::ByteWriter;
using internal::JoinType;
using internal::malformed;
using internal::read_header;
using internal::to_frame;
using internal::write_header;

std::string_view cut(std::string_view text) {
  return text.substr(0, utf8_prefix(text, internal::text_bytes_max));
}

std::string proof_text(const TokenId& id, const transport::PublicKey& aggregator,
                       const transport::PublicKey& device) {
  return std::string(Transcript("hansa join 1").text(aggregator.text()).text(device.text()).bytes(id).view());
}

}  // namespace

std::vector<std::byte> encode(const JoinRequest& request) {
  ByteWriter out;
  write_header(out, JoinType::request);
  out.bytes(request.id);
  out.bytes(request.secret.bytes());
  out.bytes(request.identity);
  out.bytes(request.proof);
  auto frame = to_frame(out);
  wipe(out.out());
  return frame;
}

Result<JoinRequest> decode_join_request(std::span<const std::byte> frame) {
  if (frame.size() > join_request_bytes) return malformed("is too long");
  HANSA_TRY(ByteReader in, read_header(frame, JoinType::request));
  JoinRequest out;
  in.bytes(out.id);
  in.bytes(out.secret.bytes());
  in.bytes(out.identity);
  in.bytes(out.proof);
  if (in.failed() || !in.at_end()) return malformed("is cut short");
  return out;
}

std::vector<std::byte> encode(const JoinAnswer& answer) {
  ByteWriter out;
  write_header(out, JoinType::answer);
  out.number(static_cast<std::uint8_t>(answer.status), 1);
  out.number(answer.retry_after_s, 2);
  out.text(cut(answer.text));
  if (answer.status != JoinStatus::enrolled) return to_frame(out);
  out.text(answer.name);
  out.number(answer.validity.epoch, 4);
  out.number(answer.validity.issued.value, 8);
  out.number(answer.validity.expires.value, 8);
  out.bytes(answer.signature);
  const std::size_t addresses = std::min(answer.addresses.size(), join_addresses_max);
  out.number(addresses, 1);
  for (std::size_t i = 0; i < addresses; ++i) out.text(cut(answer.addresses[i]));
  return to_frame(out);
}

Result<JoinAnswer> decode_join_answer(std::span<const std::byte> frame) {
  if (frame.size() > join_answer_bytes_max) return malformed("is too long");
  HANSA_TRY(ByteReader in, read_header(frame, JoinType::answer));
  JoinAnswer out;
  const auto status = in.number(1);
  if (status < 1 || status > 4) return malformed("has an unknown status");
  out.status = static_cast<JoinStatus>(status);
  out.retry_after_s = static_cast<std::uint16_t>(in.number(2));
  out.text = in.text();
  if (!is_utf8(out.text)) return malformed("has a text that is not UTF-8");
  if (out.status == JoinStatus::enrolled) {
    out.name = in.text();
    out.validity.epoch = static_cast<std::uint32_t>(in.number(4));
    out.validity.issued.value = in.number(8);
    out.validity.expires.value = in.number(8);
    in.bytes(out.signature);
    const auto addresses = in.number(1);
    if (in.failed() || addresses == 0 || addresses > join_addresses_max)
      return malformed("has no address, or too many");
    for (std::uint64_t i = 0; i < addresses; ++i) out.addresses.push_back(in.text());
    // They are written to client.toml.
    if (!config::check_name(out.name, "")) return malformed("has a name that is not valid");
    for (const std::string& address : out.addresses)
      if (!transport::check_aggregator_address(address)) return malformed("has an address that is not valid");
  }
  if (in.failed() || !in.at_end()) return malformed("is cut short, or has bytes too many");
  return out;
}

Result<JoinRequest> make_join_request(const JoinToken& token, const transport::SecretKey& key) {
  JoinRequest out;
  out.id = token.id;
  out.secret = token.secret.copy();
  HANSA_TRY(const auto own, key.public_key());
  HANSA_TRY(const auto identity, identity_of(key));
  out.identity = identity.public_key();
  HANSA_TRY(out.proof, identity.sign(proof_text(token.id, token.aggregator, own)));
  return out;
}

bool has_valid_proof(const JoinRequest& request, const transport::PublicKey& aggregator,
                     const transport::PublicKey& device) {
  return secure_aggregation::verify(request.identity, proof_text(request.id, aggregator, device),
                                    request.proof);
}

}  // namespace hansa::enrolment
