#include "common/digest.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

#include <openssl/evp.h>

#include "common/hex.h"

namespace hansa {

static_assert(std::endian::native == std::endian::little, "flat vectors travel as little-endian float32");

namespace {
// Hashing fails only if OpenSSL does not work at all (no memory, broken library).
void require(int ok) {
  if (ok != 1) {
    std::fputs("hansa: OpenSSL refuses SHA-256\n", stderr);
    std::abort();
  }
}
}  // namespace

std::string Digest::hex() const { return to_hex(bytes); }

std::string Digest::text() const { return "sha256:" + hex(); }

bool Digest::is_zero() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

Result<Digest> parse_digest(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with("sha256:")) digits.remove_prefix(7);
  Digest out;
  if (!from_hex(digits, out.bytes))
    return fail(ErrorCode::usage, std::string(text.substr(0, 80)), "is not a digest",
                "a digest is \"sha256:\" and 64 hex digits");
  return out;
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { start(); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  void start() { require(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr)); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
  require(EVP_DigestUpdate(state_->context, data.data(), data.size()));
}

Digest Sha256::finish() {
  Digest out;
  unsigned length = 0;
  require(EVP_DigestFinal_ex(state_->context, out.bytes.data(), &length));
  state_->start();
  return out;
}

Digest sha256(std::span<const std::byte> data) {
  Digest out;
  unsigned length = 0;
  require(EVP_Digest(data.data(), data.size(), out.bytes.data(), &length, EVP_sha256(), nullptr));
  return out;
}

Digest sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text.data(), text.size()))); }

}  // namespace hansa
