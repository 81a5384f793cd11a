#include "protocols/secure_aggregation/mask.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include <openssl/evp.h>

namespace hansa::secure_aggregation {
namespace {

static_assert(std::endian::native == std::endian::little, "the key stream's words are little-endian");

constexpr std::size_t block_bytes = 8 * 1024;
constexpr std::size_t cipher_block = 16;

template <class Word>
void combine(std::uint32_t* values, const std::uint8_t* stream, std::size_t count, MaskSign sign) noexcept {
  // memcpy of a word is a load; the loops are vectors.
  const auto word = [stream](std::size_t i) {
    Word out;
    std::memcpy(&out, stream + i * sizeof(Word), sizeof(Word));
    return std::uint32_t{out};
  };
  if (sign == MaskSign::add)
    for (std::size_t i = 0; i < count; ++i) values[i] += word(i);
  else
    for (std::size_t i = 0; i < count; ++i) values[i] -= word(i);
}

}  // namespace

struct MaskStream::State {
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { ::EVP_CIPHER_CTX_free(context); }  // wipes the key
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> cipher{::EVP_CIPHER_CTX_new()};
  std::size_t word_bytes = 4;
  std::uint64_t next = 0;  // byte of the stream that the cipher gives next
  alignas(64) std::array<std::uint8_t, block_bytes> zeros{};
  alignas(64) std::array<std::uint8_t, block_bytes> stream{};

  ~State() { wipe(stream); }
  // byte: a multiple of cipher_block.
  bool seek(std::uint64_t byte) {
    if (byte == next) return true;
    std::array<std::uint8_t, cipher_block> counter{};
    std::uint64_t block = byte / cipher_block;
    for (std::size_t i = cipher_block; block > 0; block >>= 8)
      counter[--i] = static_cast<std::uint8_t>(block);
    next = byte;
    return ::EVP_EncryptInit_ex(cipher.get(), nullptr, nullptr, nullptr, counter.data()) == 1;
  }
};

MaskStream::MaskStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
MaskStream::~MaskStream() = default;
MaskStream::MaskStream(MaskStream&&) noexcept = default;
MaskStream& MaskStream::operator=(MaskStream&&) noexcept = default;

Result<MaskStream> MaskStream::create(const Secret32& seed, unsigned bits) {
  assert(bits >= 1 && bits <= ring_bits_max);
  auto state = std::make_unique<State>();
  state->word_bytes = bits <= 16 ? 2 : 4;
  const std::array<std::uint8_t, cipher_block> counter{};
  if (!state->cipher || ::EVP_EncryptInit_ex(state->cipher.get(), ::EVP_aes_256_ctr(), nullptr,
                                             seed.bytes().data(), counter.data()) != 1)
    return fail(ErrorCode::internal, "OpenSSL", "does not start AES-256-CTR");
  return MaskStream(std::move(state));
}

Result<void> MaskStream::apply(std::span<std::uint32_t> values, std::uint64_t first, MaskSign sign) {
  State& s = *state_;
  assert(first % cipher_block == 0);
  if (!s.seek(first * s.word_bytes))
    return fail(ErrorCode::internal, "OpenSSL", "does not seek in AES-256-CTR");
  const std::size_t words_max = block_bytes / s.word_bytes;
  for (std::size_t done = 0; done < values.size(); done += words_max) {
    const std::size_t count = std::min(words_max, values.size() - done);
    const std::size_t bytes = count * s.word_bytes;
    int written = 0;
    if (::EVP_EncryptUpdate(s.cipher.get(), s.stream.data(), &written, s.zeros.data(),
                            static_cast<int>(bytes)) != 1 ||
        static_cast<std::size_t>(written) != bytes)
      return fail(ErrorCode::internal, "OpenSSL", "stops AES-256-CTR");
    s.next += bytes;
    if (s.word_bytes == 2) combine<std::uint16_t>(values.data() + done, s.stream.data(), count, sign);
    else combine<std::uint32_t>(values.data() + done, s.stream.data(), count, sign);
  }
  return {};
}

void reduce(std::span<std::uint32_t> values, unsigned bits) noexcept {
  if (bits >= 32) return;
  const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
  for (std::uint32_t& value : values) value &= mask;
}

}  // namespace hansa::secure_aggregation
