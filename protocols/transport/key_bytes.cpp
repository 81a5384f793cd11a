#include "protocols/transport/key_bytes.h"

#include <algorithm>

#include <zmq.h>

namespace hansa::transport {

Result<std::array<std::uint8_t, 32>> raw_bytes(const PublicKey& key) {
  std::array<std::uint8_t, 32> out{};
  if (::zmq_z85_decode(out.data(), key.text().c_str()) == nullptr)
    return fail(ErrorCode::usage, "public key", "is not a valid Z85 encoding of a key");
  return out;
}

PublicKey public_key_of(const std::array<std::uint8_t, 32>& bytes) {
  std::array<char, 41> text{};
  ::zmq_z85_encode(text.data(), bytes.data(), bytes.size());
  PublicKey out;
  std::copy_n(text.begin(), out.z85.size(), out.z85.begin());
  return out;
}

}  // namespace hansa::transport
