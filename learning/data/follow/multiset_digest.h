// A digest of a multiset of records, independent of their order: the sum of their SHA-256 modulo 2^256.
//
// This is MSet-Add-Hash of Clarke et al., "Incremental multiset hash functions" (ASIACRYPT 2003), without a key. It
// detects lost and duplicated records, but not records that were constructed to collide.
#pragma once
#include <span>
#include <string_view>

#include "common/digest.h"

namespace hansa::learning {

class MultisetDigest {
 public:
  MultisetDigest() = default;
  explicit MultisetDigest(const Digest& value) : sum_(value) {}

  void add(std::string_view record) { add(sha256(record)); }
  void add(const Digest& record);  // the SHA-256 of a record, or another multiset
  [[nodiscard]] const Digest& value() const { return sum_; }  // big-endian

 private:
  Digest sum_;
};

}  // namespace hansa::learning
