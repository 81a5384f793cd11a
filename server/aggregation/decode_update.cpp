#include "server/aggregation/decode_update.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "common/kernels/fold.h"
#include "protocols/codecs/update.h"

namespace hansa::server {

Result<void> decode_update(const UpdateEncoding& encoding, std::span<const std::byte> bytes,
                           std::vector<std::byte>& unpacked, std::span<float> out) {
  if (encoding.plan != nullptr) {
    assert(out.size() == encoding.plan->values());
    HANSA_TRY(const auto update,
              codecs::Update::read(*encoding.plan, encoding.seeds, encoding.magnitude_max, bytes, unpacked));
    std::ranges::fill(out, 0.0F);
    update.accumulate(0, out.size(), 1.0F, out);
    return {};
  }
  if (bytes.size() != out.size_bytes())
    return fail(ErrorCode::protocol, "update",
                "has " + std::to_string(bytes.size()) + " bytes, and " + std::to_string(out.size_bytes()) +
                    " are needed");
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  const std::size_t outside = kernels::first_outside(out, encoding.magnitude_max);
  if (outside == out.size()) return {};
  return fail(ErrorCode::protocol, "update",
              "has " + std::to_string(out[outside]) + " at parameter " + std::to_string(outside) +
                  ", and values must be finite and within +-" + std::to_string(encoding.magnitude_max),
              "lower the client's learning rate, or raise limits.magnitude_max");
}

}  // namespace hansa::server
