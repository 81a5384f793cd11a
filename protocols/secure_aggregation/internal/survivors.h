// The bytes that clients sign in the consistency check of the active model.
#pragma once
#include "common/transcript.h"
#include "protocols/secure_aggregation/messages.h"

namespace hansa::secure_aggregation::internal {

inline Transcript survivors_to_sign(const Digest& context, const Subset& survivors) {
  Transcript out("hansa secagg survivors 1");
  out.bytes(context.bytes).number(survivors.size(), 4).bytes(survivors.bits());
  return out;
}

}  // namespace hansa::secure_aggregation::internal
