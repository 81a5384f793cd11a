// A device asks for its key to be changed: docs/enrolment.md, "Changing keys". The request is a frame for the port on which
// devices enrol, or a file to be carried to the operator.
//
// The frame has the header of the join messages (join_messages.h) with type 3, then the old transport key 32, the new one
// 32, the new identity 32, and two signatures of 64 bytes: 228 bytes in all.
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/transport/keys.h"

namespace hansa::enrolment {

inline constexpr std::size_t rotation_request_bytes = 4 + 3 * 32 + 2 * 64;

// The federation in which a key is changed. Its name alone does not tell it from another one.
struct RotationScope {
  std::string federation;
  secure_aggregation::IdentityKey root{};
  std::optional<secure_aggregation::IdentityKey> other_root = {};  // holds too, while the root key changes
};

// Both identities sign "hansa rotation 1", federation, root (not the other one), old key, new key, new identity: the owner of the old key asks
// for it, and the device has the new identity's secret.
struct RotationRequest {
  transport::PublicKey old_key;
  transport::PublicKey new_key;
  secure_aggregation::IdentityKey new_identity{};
  secure_aggregation::Signature by_old{};
  secure_aggregation::Signature by_new{};
};

[[nodiscard]] Result<RotationRequest> make_rotation_request(const RotationScope& scope,
                                                            const transport::SecretKey& old_secret,
                                                            const transport::SecretKey& new_secret);
// Whether both have signed, for one of the root keys. old_identity: that of the device's present key.
[[nodiscard]] bool has_valid_proof(const RotationRequest& request, const RotationScope& scope,
                                   const secure_aggregation::IdentityKey& old_identity);

// Fails (usage) if a key is no Z85, which keys that were parsed are.
[[nodiscard]] Result<std::vector<std::byte>> encode(const RotationRequest& request);
// Whether the frame is a rotation request, or claims to be one.
[[nodiscard]] bool is_rotation_request(std::span<const std::byte> frame);
// Fails (protocol) for anything else; (refused) for another version.
[[nodiscard]] Result<RotationRequest> decode_rotation_request(std::span<const std::byte> frame);

// A text file: comments, and the frame in hex digits.
[[nodiscard]] Result<void> write_rotation_request(const RotationRequest& request,
                                                  const std::filesystem::path& file);
// Fails with `usage` if the file is no request. Does not check the signatures.
[[nodiscard]] Result<RotationRequest> read_rotation_request(const std::filesystem::path& file);

}  // namespace hansa::enrolment
