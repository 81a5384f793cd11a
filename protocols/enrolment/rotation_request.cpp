#include "protocols/enrolment/rotation_request.h"

#include <array>

#include "common/files.h"
#include "common/hex.h"
#include "common/text.h"
#include "common/transcript.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/internal/join_header.h"
#include "protocols/transport/key_bytes.h"

namespace hansa::enrolment {
namespace {

using internal::JoinType;

constexpr std::size_t file_bytes_max = 4'096;
constexpr std::string_view line_start = "rotation ";

std::string signed_text(const RotationRequest& request, const std::string& federation,
                        const secure_aggregation::IdentityKey& root) {
  return std::string(Transcript("hansa rotation 1")
                         .text(federation)
                         .bytes(root)
                         .text(request.old_key.text())
                         .text(request.new_key.text())
                         .bytes(request.new_identity)
                         .view());
}

}  // namespace

Result<RotationRequest> make_rotation_request(const RotationScope& scope,
                                              const transport::SecretKey& old_secret,
                                              const transport::SecretKey& new_secret) {
  RotationRequest out;
  HANSA_TRY(out.old_key, old_secret.public_key());
  HANSA_TRY(out.new_key, new_secret.public_key());
  HANSA_TRY(const auto old_identity, identity_of(old_secret));
  HANSA_TRY(const auto new_identity, identity_of(new_secret));
  out.new_identity = new_identity.public_key();
  const std::string text = signed_text(out, scope.federation, scope.root);
  HANSA_TRY(out.by_old, old_identity.sign(text));
  HANSA_TRY(out.by_new, new_identity.sign(text));
  return out;
}

bool has_valid_proof(const RotationRequest& request, const RotationScope& scope,
                     const secure_aggregation::IdentityKey& old_identity) {
  const auto holds_for = [&](const secure_aggregation::IdentityKey& root) {
    const std::string text = signed_text(request, scope.federation, root);
    return secure_aggregation::verify(old_identity, text, request.by_old) &&
           secure_aggregation::verify(request.new_identity, text, request.by_new);
  };
  return holds_for(scope.root) || (scope.other_root && holds_for(*scope.other_root));
}

Result<std::vector<std::byte>> encode(const RotationRequest& request) {
  HANSA_TRY(const auto old_key, transport::raw_bytes(request.old_key));
  HANSA_TRY(const auto new_key, transport::raw_bytes(request.new_key));
  internal::ByteWriter out;
  internal::write_header(out, JoinType::rotation);
  out.bytes(old_key);
  out.bytes(new_key);
  out.bytes(request.new_identity);
  out.bytes(request.by_old);
  out.bytes(request.by_new);
  return internal::to_frame(out);
}

bool is_rotation_request(std::span<const std::byte> frame) {
  return internal::read_header(frame, JoinType::rotation).has_value();
}

Result<RotationRequest> decode_rotation_request(std::span<const std::byte> frame) {
  if (frame.size() > rotation_request_bytes) return internal::malformed("is too long");
  HANSA_TRY(internal::ByteReader in, internal::read_header(frame, JoinType::rotation));
  RotationRequest out;
  std::array<std::uint8_t, 32> key{};
  in.bytes(key);
  out.old_key = transport::public_key_of(key);
  in.bytes(key);
  out.new_key = transport::public_key_of(key);
  in.bytes(out.new_identity);
  in.bytes(out.by_old);
  in.bytes(out.by_new);
  if (in.failed() || !in.at_end()) return internal::malformed("is cut short");
  return out;
}

Result<void> write_rotation_request(const RotationRequest& request, const std::filesystem::path& file) {
  HANSA_TRY(const auto frame, encode(request));
  const std::string hex = to_hex({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
  return write_file_atomically(file,
                               "# Hansa: a device asks for its key to be changed. For the operator:\n"
                               "# hansa approve --rotation FILE\n" +
                                   std::string(line_start) + hex + "\n");
}

Result<RotationRequest> read_rotation_request(const std::filesystem::path& file) {
  HANSA_TRY(const std::string content, read_text_file(file, file_bytes_max));
  std::string_view rest = content;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with(line_start)) continue;
    std::array<std::uint8_t, rotation_request_bytes> bytes{};
    if (!from_hex(trimmed(line.substr(line_start.size())), bytes)) break;
    if (auto request = decode_rotation_request(std::as_bytes(std::span(bytes)))) return std::move(*request);
    break;
  }
  return fail(ErrorCode::usage, file.string(), "is no request for a change of a key",
              "write it again on the device: hansa-client rotate client.toml --request FILE");
}

}  // namespace hansa::enrolment
