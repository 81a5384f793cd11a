#include "common/vector_digest.h"

#include <algorithm>
#include <atomic>
#include <string_view>
#include <thread>

namespace hansa {
namespace {

constexpr std::string_view tag = "hansa vector 1";

Digest combine(std::uint64_t bytes, std::span<const Digest> pieces) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(tag)));
  hash.update(std::as_bytes(std::span(&bytes, 1)));
  for (const Digest& piece : pieces) hash.update(std::as_bytes(std::span(piece.bytes)));
  return hash.finish();
}

}  // namespace

Digest vector_digest(std::span<const float> values, unsigned threads) {
  const auto bytes = std::as_bytes(values);
  if (bytes.size() <= vector_piece_bytes) return sha256(bytes);
  std::vector<Digest> pieces((bytes.size() + vector_piece_bytes - 1) / vector_piece_bytes);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) {
      const std::size_t first = i * vector_piece_bytes;
      pieces[i] = sha256(bytes.subspan(first, std::min(vector_piece_bytes, bytes.size() - first)));
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned t = 1; t < std::min<std::size_t>(threads, pieces.size()); ++t) helpers.emplace_back(work);
    work();
  }
  return combine(bytes.size(), pieces);
}

void VectorDigest::update(std::span<const std::byte> data) {
  bytes_ += data.size();
  while (!data.empty()) {
    // A full piece is finished only when more bytes follow, because the last piece may be full too.
    if (in_piece_ == vector_piece_bytes) {
      pieces_.push_back(piece_.finish());
      in_piece_ = 0;
    }
    const auto part = data.first(std::min(data.size(), vector_piece_bytes - in_piece_));
    piece_.update(part);
    in_piece_ += part.size();
    data = data.subspan(part.size());
  }
}

Digest VectorDigest::finish() {
  const Digest last = piece_.finish();
  Digest out = last;
  if (!pieces_.empty()) {
    pieces_.push_back(last);
    out = combine(bytes_, pieces_);
  }
  in_piece_ = 0;
  bytes_ = 0;
  pieces_.clear();
  return out;
}

}  // namespace hansa
