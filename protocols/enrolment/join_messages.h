// The two messages with which a device enrols: docs/enrolment.md. They are spoken on a port of their own, where every key
// may connect, and nowhere else.
//
//   offset 0  2 bytes  'H' 'J'
//          2  1 byte   version: 1
//          3  1 byte   type: 1 request, 2 answer
//          4  …        fields; numbers little-endian, texts with their length in one byte
//
// Decoding is bounded, and a frame that decodes encodes to the same bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/enrolment/join_token.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

inline constexpr std::size_t join_request_bytes = 4 + 8 + 16 + 32 + 64;
inline constexpr std::size_t join_answer_bytes_max = 4'096;
inline constexpr std::size_t join_addresses_max = 8;

// Device to aggregator. Sent again until it is answered with something else than pending or busy. The transport key is the
// one with which the device has connected.
struct JoinRequest {
  TokenId id{};
  TokenSecret secret;
  secure_aggregation::IdentityKey identity{};
  // The identity key's signature of "hansa join 1", aggregator's key, transport key, token id: the device has this
  // identity's secret, and asks for it to be bound to this transport key.
  secure_aggregation::Signature proof{};
};

enum class JoinStatus : std::uint8_t {
  refused = 1,  // for ever
  busy = 2,  // ask again later: too many requests
  pending = 3,  // the operator has to approve the device
  enrolled = 4,
};

struct JoinAnswer {
  JoinStatus status = JoinStatus::refused;
  std::uint16_t retry_after_s = 0;  // of busy and pending
  std::string text;  // refused: why; pending: the device's name
  // Of enrolled.
  std::string name;
  secure_aggregation::Validity validity{0, {}, {}};
  secure_aggregation::Signature signature{};
  std::vector<std::string> addresses;  // where clients reach the aggregator: 1 to 8
};

// Texts that are too long are cut.
[[nodiscard]] std::vector<std::byte> encode(const JoinRequest& request);
[[nodiscard]] std::vector<std::byte> encode(const JoinAnswer& answer);
// Fail (protocol) for anything else; (refused) for another version.
[[nodiscard]] Result<JoinRequest> decode_join_request(std::span<const std::byte> frame);
[[nodiscard]] Result<JoinAnswer> decode_join_answer(std::span<const std::byte> frame);

// The request of the device with this secret key.
[[nodiscard]] Result<JoinRequest> make_join_request(const JoinToken& token, const transport::SecretKey& key);
[[nodiscard]] bool has_valid_proof(const JoinRequest& request, const transport::PublicKey& aggregator,
                                   const transport::PublicKey& device);

}  // namespace hansa::enrolment
