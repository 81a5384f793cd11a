// Copies to memory that is next read when it would no longer be in the caches. Scalar reference: std::memcpy.
#pragma once
#include <cstddef>
#include <span>

namespace hansa::kernels {

// to[i] = from[i], with non-temporal stores, which bypass the caches and do not read the destination first. For
// destinations larger than the caches. The spans have equal sizes and do not overlap. Other threads see the copy like
// ordinary writes.
void copy_past_caches(std::span<std::byte> to, std::span<const std::byte> from);

}  // namespace hansa::kernels
