// The digest that names a model's flat vector: SHA-256 in pieces, so that cores share the work and a large model is named about
// as fast as it is read. One SHA-256 over 40 MB takes longer than the disk takes to store them.
//
// Up to vector_piece_bytes it is the SHA-256 of the values' little-endian float32 bytes, as sha256sum prints it. Above, it is the
// SHA-256 of "hansa vector 1", the count of bytes (u64, little-endian), and the SHA-256 of each piece of vector_piece_bytes, the last
// one shorter. Vectors of one length have one digest only if they are the same; the count keeps lengths apart.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/digest.h"

namespace hansa {

inline constexpr std::size_t vector_piece_bytes = 1 << 20;

// On that many threads at most, the caller's among them.
[[nodiscard]] Digest vector_digest(std::span<const float> values, unsigned threads = 1);

// The same of bytes that come in parts. Not thread safe.
class VectorDigest {
 public:
  void update(std::span<const std::byte> data);
  // Of all that was added; starts anew.
  [[nodiscard]] Digest finish();

 private:
  Sha256 piece_;
  std::size_t in_piece_ = 0;  // bytes of the piece at hand
  std::vector<Digest> pieces_;  // that are whole
  std::uint64_t bytes_ = 0;
};

}  // namespace hansa
