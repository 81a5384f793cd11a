// A sum of masked vectors together with the set of its contributors. It can be stored, sent and added to another one,
// so that a part of a cohort may be summed elsewhere.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/messages.h"

namespace hansa::secure_aggregation {

class MaskedSum {
 public:
  // An empty sum. 1 <= bits <= 32. `memory` may be the memory of an earlier sum (release()), to avoid an allocation.
  MaskedSum(const Digest& context, std::size_t clients, std::size_t elements, unsigned bits,
            std::vector<std::uint32_t> memory = {});
  [[nodiscard]] std::vector<std::uint32_t> release() && { return std::move(values_); }

  // Adds a client's packed vector. Fails with `protocol`, leaving the sum unchanged, if the client is already a
  // contributor or the length is wrong.
  [[nodiscard]] Result<void> add(Position client, std::span<const std::byte> packed);
  // Fails with `protocol` unless the other sum has the same context and shape and no contributor in common.
  [[nodiscard]] Result<void> add(const MaskedSum& other);

  // Adds the terms (open_masks) in place and returns the unmasked sum. May be called only once.
  [[nodiscard]] Result<std::span<const std::uint32_t>> unmask(std::span<const MaskTerm> terms,
                                                              unsigned threads);

  [[nodiscard]] const Subset& contributors() const { return contributors_; }
  [[nodiscard]] const Digest& context() const { return context_; }

  // The encoding is a transcript (transcript.h) of context, number of clients, contributors, bits and number of
  // elements, followed by the packed elements.
  [[nodiscard]] std::vector<std::byte> encode() const;
  [[nodiscard]] static Result<MaskedSum> decode(std::span<const std::byte> bytes);

 private:
  Digest context_;
  Subset contributors_;
  unsigned bits_;
  std::vector<std::uint32_t> values_;  // modulo 2^32; reduced modulo 2^bits when they are read
};

}  // namespace hansa::secure_aggregation
