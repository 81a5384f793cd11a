// Mask streams: AES-256-CTR (by OpenSSL), added to vectors of integers modulo 2^bits.
//
// The key stream of a seed (key = seed, counter from 0) is divided into little-endian words of 16 bits if bits <= 16,
// otherwise of 32 bits. Word i is the mask of element i. 2^bits divides the modulus of the words, so that words reduced
// modulo 2^bits are exactly uniform, and vectors need to be reduced only once, at the end. The stream is generated in
// blocks that fit in the first-level cache.
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
  // 1 <= bits <= 32. The destructor wipes the seed. Fails with `internal` if OpenSSL does not have the cipher.
  [[nodiscard]] static Result<MaskStream> create(const Secret32& seed, unsigned bits);
  ~MaskStream();
  MaskStream(MaskStream&&) noexcept;
  MaskStream& operator=(MaskStream&&) noexcept;

  // Switches to the stream of another seed, with the same number of bits.
  [[nodiscard]] Result<void> restart(const Secret32& seed);

  // Adds or subtracts the mask of the elements first .. first + values.size() - 1, modulo 2^32. `first` is a multiple
  // of 16; it lets several workers mask parts of a vector. Fails with `internal` if OpenSSL fails; then the values are
  // unspecified.
  [[nodiscard]] Result<void> apply(std::span<std::uint32_t> values, std::uint64_t first, MaskSign sign);

 private:
  struct State;
  explicit MaskStream(std::unique_ptr<State> state);
  friend Result<void> apply_masks(std::span<std::uint32_t>, std::span<const struct MaskTerm>, unsigned,
                                  unsigned);
  // Word is the word of the stream.
  template <class Word, class Value>
  [[nodiscard]] Result<void> apply_words(std::span<Value> values, std::uint64_t first, MaskSign sign);

  std::unique_ptr<State> state_;
};

struct MaskTerm {
  Secret32 seed;
  MaskSign sign = MaskSign::add;
};
// Applies the masks of all terms and reduces modulo 2^bits, on at most `threads` threads. The vector is processed in
// tiles that fit in the second-level cache, so that memory is read and written once whatever the number of terms.
[[nodiscard]] Result<void> apply_masks(std::span<std::uint32_t> values, std::span<const MaskTerm> terms,
                                       unsigned bits, unsigned threads = 1);

// Reduces the values modulo 2^bits.
void reduce(std::span<std::uint32_t> values, unsigned bits) noexcept;

}  // namespace hansa::secure_aggregation
