#include "protocols/secure_aggregation/mask.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstring>
#include <thread>

#include "protocols/secure_aggregation/internal/openssl.h"

namespace hansa::secure_aggregation {
namespace {

static_assert(std::endian::native == std::endian::little, "the key stream's words are little-endian");

constexpr std::size_t block_bytes = 8 * 1024;
constexpr std::size_t cipher_block = 16;

// Value may be wider than Word, the word of the stream.
template <class Word, class Value>
void combine(Value* values, const std::uint8_t* stream, std::size_t count, MaskSign sign) noexcept {
  // memcpy of a word compiles to a load, and the loops below are vectorised.
  const auto word = [stream](std::size_t i) {
    Word out;
    std::memcpy(&out, stream + i * sizeof(Word), sizeof(Word));
    return static_cast<Value>(out);
  };
  if (sign == MaskSign::add)
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Value>(values[i] + word(i));
  else
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Value>(values[i] - word(i));
}

}  // namespace

struct MaskStream::State {
  internal::Owned<EVP_CIPHER_CTX> cipher{::EVP_CIPHER_CTX_new()};  // its destructor wipes the key
  std::size_t word_bytes = 4;
  std::uint64_t next = 0;  // index of the next byte in the stream
  alignas(64) std::array<std::uint8_t, block_bytes> zeros{};
  alignas(64) std::array<std::uint8_t, block_bytes> stream{};

  ~State() { wipe(stream); }
  // byte is a multiple of cipher_block.
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
  if (!state->cipher ||
      ::EVP_EncryptInit_ex(state->cipher.get(), ::EVP_aes_256_ctr(), nullptr, nullptr, nullptr) != 1)
    return internal::openssl_failed("has no AES-256-CTR");
  MaskStream out(std::move(state));
  HANSA_TRY_VOID(out.restart(seed));
  return out;
}

Result<void> MaskStream::restart(const Secret32& seed) {
  const std::array<std::uint8_t, cipher_block> counter{};
  state_->next = 0;
  if (::EVP_EncryptInit_ex(state_->cipher.get(), nullptr, nullptr, seed.bytes().data(), counter.data()) != 1)
    return internal::openssl_failed("cannot start AES-256-CTR");
  return {};
}

template <class Word, class Value>
Result<void> MaskStream::apply_words(std::span<Value> values, std::uint64_t first, MaskSign sign) {
  State& s = *state_;
  assert(first % cipher_block == 0);
  if (!s.seek(first * sizeof(Word))) return internal::openssl_failed("cannot seek in AES-256-CTR");
  constexpr std::size_t words_max = block_bytes / sizeof(Word);
  for (std::size_t done = 0; done < values.size(); done += words_max) {
    const std::size_t count = std::min(words_max, values.size() - done);
    const std::size_t bytes = count * sizeof(Word);
    int written = 0;
    if (::EVP_EncryptUpdate(s.cipher.get(), s.stream.data(), &written, s.zeros.data(),
                            static_cast<int>(bytes)) != 1 ||
        static_cast<std::size_t>(written) != bytes)
      return internal::openssl_failed("fails in AES-256-CTR");
    s.next += bytes;
    combine<Word>(values.data() + done, s.stream.data(), count, sign);
  }
  return {};
}

Result<void> MaskStream::apply(std::span<std::uint32_t> values, std::uint64_t first, MaskSign sign) {
  if (state_->word_bytes == 2) return apply_words<std::uint16_t>(values, first, sign);
  return apply_words<std::uint32_t>(values, first, sign);
}

Result<void> apply_masks(std::span<std::uint32_t> values, std::span<const MaskTerm> terms, unsigned bits,
                         unsigned threads) {
  constexpr std::size_t tile = 32 * 1024;  // values: 128 KiB
  const std::size_t tiles = (values.size() + tile - 1) / tile;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    auto stream = MaskStream::create(Secret32(), bits);
    if (!stream) failed = true;
    // If the ring has at most 16 bits, the terms are summed in 16-bit words: half of the memory and twice the vector
    // lanes.
    std::vector<std::uint16_t> narrow(bits <= 16 ? std::min(tile, values.size()) : 0);
    for (std::size_t i; !failed && (i = next++) < tiles;) {
      const auto part = values.subspan(i * tile, std::min(tile, values.size() - i * tile));
      const auto sum = std::span(narrow).first(bits <= 16 ? part.size() : 0);
      std::ranges::fill(sum, std::uint16_t{0});
      for (const MaskTerm& term : terms) {
        const bool done = stream->restart(term.seed) &&
                          (bits <= 16 ? stream->apply_words<std::uint16_t>(sum, i * tile, term.sign)
                                      : stream->apply_words<std::uint32_t>(part, i * tile, term.sign));
        if (!done) failed = true;
      }
      for (std::size_t e = 0; e < sum.size(); ++e) part[e] += sum[e];
      reduce(part, bits);
    }
    wipe({reinterpret_cast<std::uint8_t*>(narrow.data()), narrow.size() * sizeof(std::uint16_t)});
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads && i < tiles; ++i) helpers.emplace_back(work);
    work();
  }
  if (failed) return internal::openssl_failed("fails in AES-256-CTR");
  return {};
}

void reduce(std::span<std::uint32_t> values, unsigned bits) noexcept {
  if (bits >= 32) return;
  const std::uint32_t mask = (std::uint32_t{1} << bits) - 1;
  for (std::uint32_t& value : values) value &= mask;
}

}  // namespace hansa::secure_aggregation
