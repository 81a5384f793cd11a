// A sum of masked vectors with the clients that are in it: a value that can be stored, sent and added, so that a part of
// a cohort may be summed elsewhere.
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
  // Empty. 1 <= bits <= 32. memory: of an earlier sum, to be used again.
  MaskedSum(const Digest& context, std::size_t clients, std::size_t elements, unsigned bits,
            std::vector<std::uint32_t> memory = {});
  [[nodiscard]] std::vector<std::uint32_t> release() && { return std::move(values_); }

  // A client's packed vector. Fails (protocol), with the sum untouched, if it is in it already or has a wrong length.
  [[nodiscard]] Result<void> add(Position client, std::span<const std::byte> packed);
  // Fails (protocol) unless it is of the same context and shape, and of other clients.
  [[nodiscard]] Result<void> add(const MaskedSum& other);

  // Adds the terms (AggregatorSum::unmask_terms): the plain sum, in place. Only once.
  [[nodiscard]] Result<std::span<const std::uint32_t>> unmask(std::span<const MaskTerm> terms,
                                                              unsigned threads);

  [[nodiscard]] const Subset& contributors() const { return contributors_; }
  [[nodiscard]] const Digest& context() const { return context_; }

  // Context, clients, contributors, bits, elements, packed numbers; numbers big-endian as in transcript.h.
  [[nodiscard]] std::vector<std::byte> encode() const;
  [[nodiscard]] static Result<MaskedSum> decode(std::span<const std::byte> bytes);

 private:
  Digest context_;
  Subset contributors_;
  unsigned bits_;
  std::vector<std::uint32_t> values_;  // modulo 2^32, of which 2^bits is what counts
};

}  // namespace hansa::secure_aggregation
