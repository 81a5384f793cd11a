// The digest that names a model's flat vector. It is computed in pieces, so that several cores can hash a large model
// about as fast as it is read: one SHA-256 over 40 MB takes longer than storing them on the disk.
//
// Up to vector_piece_bytes it is the SHA-256 of the values' little-endian float32 bytes, as sha256sum prints it. Above
// that it is the SHA-256 of "hansa vector 1", the number of bytes (u64, little-endian), and the SHA-256 of each piece
// of vector_piece_bytes; the last piece may be shorter. The number of bytes separates vectors of different lengths.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/digest.h"

namespace hansa {

inline constexpr std::size_t vector_piece_bytes = 1 << 20;

// Uses at most `threads` threads, including the caller's.
[[nodiscard]] Digest vector_digest(std::span<const float> values, unsigned threads = 1);

// Incremental. Not thread-safe.
class VectorDigest {
 public:
  void update(std::span<const std::byte> data);
  // Returns the digest of all bytes added since the start or the last finish(), and resets.
  [[nodiscard]] Digest finish();

 private:
  Sha256 piece_;
  std::size_t in_piece_ = 0;  // bytes in the current piece
  std::vector<Digest> pieces_;  // the full pieces
  std::uint64_t bytes_ = 0;
};

}  // namespace hansa
