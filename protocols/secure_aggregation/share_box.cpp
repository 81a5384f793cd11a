#include "protocols/secure_aggregation/share_box.h"

#include <algorithm>
#include <string>

#include "protocols/secure_aggregation/internal/openssl.h"
#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

using internal::openssl_failed;

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t plain_bytes = sealed_bytes - tag_bytes;
constexpr std::array<std::uint8_t, 12> nonce{};

Transcript associated_data(const Direction& direction) {
  Transcript out("hansa secagg shares 1");
  out.bytes(direction.context.bytes).text(direction.from).text(direction.to);
  return out;
}

}  // namespace

Result<SealedShares> seal(const SharePair& shares, const Secret32& key, const Direction& direction) {
  Secret<plain_bytes> plain;
  std::ranges::copy(shares.mask_key.bytes(), plain.bytes().begin());
  std::ranges::copy(shares.self_seed.bytes(), plain.bytes().begin() + Secret32::size);
  const auto data = associated_data(direction);
  const internal::Owned<EVP_CIPHER_CTX> cipher(::EVP_CIPHER_CTX_new());
  SealedShares out{};
  int written = 0;
  if (!cipher ||
      ::EVP_EncryptInit_ex(cipher.get(), ::EVP_aes_256_gcm(), nullptr, key.bytes().data(), nonce.data()) !=
          1 ||
      ::EVP_EncryptUpdate(cipher.get(), nullptr, &written, data.span().data(),
                          static_cast<int>(data.span().size())) != 1 ||
      ::EVP_EncryptUpdate(cipher.get(), out.data(), &written, plain.bytes().data(), plain_bytes) != 1 ||
      ::EVP_EncryptFinal_ex(cipher.get(), out.data() + plain_bytes, &written) != 1 ||
      ::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, out.data() + plain_bytes) != 1)
    return openssl_failed("cannot encrypt");
  return out;
}

Result<SharePair> open(const SealedShares& sealed, const Secret32& key, const Direction& direction) {
  const auto data = associated_data(direction);
  const internal::Owned<EVP_CIPHER_CTX> cipher(::EVP_CIPHER_CTX_new());
  Secret<plain_bytes> plain;
  std::array<std::uint8_t, tag_bytes> tag{};
  std::copy_n(sealed.begin() + plain_bytes, tag_bytes, tag.begin());
  int written = 0;
  if (!cipher ||
      ::EVP_DecryptInit_ex(cipher.get(), ::EVP_aes_256_gcm(), nullptr, key.bytes().data(), nonce.data()) !=
          1 ||
      ::EVP_DecryptUpdate(cipher.get(), nullptr, &written, data.span().data(),
                          static_cast<int>(data.span().size())) != 1 ||
      ::EVP_DecryptUpdate(cipher.get(), plain.bytes().data(), &written, sealed.data(), plain_bytes) != 1 ||
      ::EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) != 1)
    return openssl_failed("cannot decrypt");
  if (::EVP_DecryptFinal_ex(cipher.get(), plain.bytes().data() + plain_bytes, &written) != 1)
    return fail(ErrorCode::protocol, "shares of " + std::string(direction.from),
                "were modified, or encrypted with another key");
  SharePair out;
  std::copy_n(plain.bytes().begin(), Secret32::size, out.mask_key.bytes().begin());
  std::copy_n(plain.bytes().begin() + Secret32::size, Secret32::size, out.self_seed.bytes().begin());
  return out;
}

}  // namespace hansa::secure_aggregation
