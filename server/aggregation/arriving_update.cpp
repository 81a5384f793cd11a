#include "server/aggregation/arriving_update.h"

#include <utility>

namespace hansa::server {
namespace {

std::span<const float> values_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}
bool aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0; }

}  // namespace

void ArrivingUpdate::add(std::span<const float> values) {
  if (auto added = sum_.add(values, added_, weight_); added) {
    squares_.add(values, added_);  // while they are in the caches
    added_ += values.size();
  } else {
    take_out();
    refused_ = std::move(added).error();
  }
}

Result<void> ArrivingUpdate::append(std::span<const std::byte> data) {
  const std::uint64_t before = spool_.received();
  HANSA_TRY_VOID(spool_.append(data));
  if (refused_ || !spool_.in_memory() || !sum_.check_weight(weight_)) return {};
  // The message is in the caches; the spool's copy may have bypassed them.
  const bool from_message = before == added_ * sizeof(float) && aligned(data.data());
  add(from_message ? values_of(data) : values_of(spool_.arrived()).subspan(added_));
  return {};
}

Result<void> ArrivingUpdate::count() {
  if (auto added = add_rest(); !added) {
    take_out();
    return added;
  }
  sum_.count_update(weight_);
  added_ = 0;
  return {};
}

Result<void> ArrivingUpdate::add_rest() {
  HANSA_TRY_VOID(sum_.check_weight(weight_));
  if (spool_.in_memory())
    return spool_.visit([&](std::span<const float> values, std::size_t) -> Result<void> {
      if (!refused_) add(values.subspan(added_));
      if (refused_) return tl::unexpected<Error>(*refused_);
      return {};
    });
  // A file is read in blocks. All blocks are checked before the first one is added.
  HANSA_TRY_VOID(spool_.visit(
      [&](std::span<const float> values, std::size_t first) { return sum_.check(values, first); }));
  return spool_.visit([&](std::span<const float> values, std::size_t first) {
    squares_.add(values, first);
    return sum_.add(values, first, weight_);
  });
}

void ArrivingUpdate::take_out() {
  if (added_ > 0) sum_.subtract(values_of(spool_.arrived()).first(added_), 0, weight_);
  added_ = 0;
}

}  // namespace hansa::server
