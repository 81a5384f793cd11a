#include "learning/data/follow/multiset_digest.h"

namespace hansa::learning {

void MultisetDigest::add(const Digest& record) {
  unsigned carry = 0;
  for (std::size_t i = sum_.bytes.size(); i-- > 0;) {
    carry += unsigned{sum_.bytes[i]} + record.bytes[i];
    sum_.bytes[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

}  // namespace hansa::learning
