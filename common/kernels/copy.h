// Copies of what is read again only when the caches have long forgotten it. Scalar twin: std::memcpy.
#pragma once
#include <cstddef>
#include <span>

namespace hansa::kernels {

// to[i] = from[i], written past the caches: a store then does not first read what it overwrites. For destinations larger than
// the caches, whose next reader comes later; sizes are equal, they do not overlap. Other threads see it as they see any write.
void copy_past_caches(std::span<std::byte> to, std::span<const std::byte> from);

}  // namespace hansa::kernels
