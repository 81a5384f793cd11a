// Compiled once for each instruction set: foreach_target.h includes this file repeatedly.
#include "common/kernels/instruction_sets.h"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/copy.cpp"
#include <hwy/foreach_target.h>
// The headers below must follow foreach_target.h.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "common/kernels/copy.h"

HWY_BEFORE_NAMESPACE();
namespace hansa::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void CopyPastCaches(std::uint8_t* to, const std::uint8_t* from, std::size_t count) {
  const hn::ScalableTag<std::uint8_t> u8;
  const std::size_t lanes = hn::Lanes(u8);
  // Stream() needs an aligned address and stores whole vectors.
  const std::size_t head = std::min(count, (lanes - reinterpret_cast<std::uintptr_t>(to) % lanes) % lanes);
  std::memcpy(to, from, head);
  std::size_t i = head;
  for (; i + lanes <= count; i += lanes) hn::Stream(hn::LoadU(u8, from + i), u8, to + i);
  std::memcpy(to + i, from + i, count - i);
  hwy::FlushStream();
}

}  // namespace hansa::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hansa::kernels {

HWY_EXPORT(CopyPastCaches);

void copy_past_caches(std::span<std::byte> to, std::span<const std::byte> from) {
  if (from.empty()) return;
  HWY_DYNAMIC_DISPATCH(CopyPastCaches)
  (reinterpret_cast<std::uint8_t*>(to.data()), reinterpret_cast<const std::uint8_t*>(from.data()),
   from.size());
}

}  // namespace hansa::kernels
#endif
