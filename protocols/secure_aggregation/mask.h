// Mask streams: AES-256-CTR by OpenSSL, added to vectors on a ring of 2^bits.
//
// The key stream of a seed (key = seed, counter from 0) is cut into little-endian words of 16 bits if bits <= 16, else of
// 32; word i belongs to element i. A ring of 2^bits divides that of the words, so that a sum of words reduced modulo
// 2^bits is exactly uniform, and vectors are reduced once, at the end. The stream is made in blocks that stay in the
// first cache.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace hansa::secure_aggregation {

inline constexpr unsigned ring_bits_max = 32;

enum class MaskSign : std::uint8_t { add, subtract };

class MaskStream {
 public:
  // 1 <= bits <= 32. The seed is wiped with the stream. Fails (internal) if OpenSSL has no such cipher.
  [[nodiscard]] static Result<MaskStream> create(const Secret32& seed, unsigned bits);
  ~MaskStream();
  MaskStream(MaskStream&&) noexcept;
  MaskStream& operator=(MaskStream&&) noexcept;

  // From here on the stream of another seed, of as many bits.
  [[nodiscard]] Result<void> restart(const Secret32& seed);

  // Adds the mask of the elements first .. first + values.size() - 1, modulo 2^32: workers may split a vector. first is
  // a multiple of 16. Fails (internal) if OpenSSL fails; values is then not to be used.
  [[nodiscard]] Result<void> apply(std::span<std::uint32_t> values, std::uint64_t first, MaskSign sign);

 private:
  struct State;
  explicit MaskStream(std::unique_ptr<State> state);
  friend Result<void> apply_masks(std::span<std::uint32_t>, std::span<const struct MaskTerm>, unsigned,
                                  unsigned);
  // Word: the stream's.
  template <class Word, class Value>
  [[nodiscard]] Result<void> apply_words(std::span<Value> values, std::uint64_t first, MaskSign sign);

  std::unique_ptr<State> state_;
};

struct MaskTerm {
  Secret32 seed;
  MaskSign sign = MaskSign::add;
};
// Adds all terms' masks and reduces modulo 2^bits, with so many threads. The vector is walked in tiles that stay in the
// second cache, so that memory is read and written once whatever the number of terms.
[[nodiscard]] Result<void> apply_masks(std::span<std::uint32_t> values, std::span<const MaskTerm> terms,
                                       unsigned bits, unsigned threads = 1);

// values modulo 2^bits.
void reduce(std::span<std::uint32_t> values, unsigned bits) noexcept;

}  // namespace hansa::secure_aggregation
