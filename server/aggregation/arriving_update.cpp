#include "server/aggregation/arriving_update.h"

namespace hansa::server {
namespace {

std::span<const float> values_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}
bool aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0; }

}  // namespace

void ArrivingUpdate::forget_older_sum() {
  if (sum_number_ == sum_.number()) return;
  sum_number_ = sum_.number();
  added_ = 0;
  refused_.reset();
}

void ArrivingUpdate::add(std::span<const float> values) {
  if (auto added = sum_.add(values, added_, weight_); added) {
    added_ += values.size();
  } else {
    take_out();
    refused_ = std::move(added).error();
  }
}

Result<void> ArrivingUpdate::append_and_add(std::span<const std::byte> data, std::uint64_t weight) {
  const std::uint64_t before = spool_.received();
  HANSA_TRY_VOID(spool_.append(data));
  if (!spool_.in_memory() || !sum_.check_weight(weight)) return {};
  forget_older_sum();
  if (added_ > 0 && weight != weight_) take_out();
  weight_ = weight;
  if (refused_) return {};
  // As it came it lies in the caches; the spool's copy went past them.
  const bool as_it_came = before == added_ * sizeof(float) && aligned(data.data());
  add(as_it_came ? values_of(data) : values_of(spool_.arrived()).subspan(added_));
  return {};
}

Result<void> ArrivingUpdate::count(std::uint64_t weight) {
  if (auto added = add_all(weight); !added) {
    take_out();
    return added;
  }
  sum_.count_update(weight);
  added_ = 0;
  return {};
}

Result<void> ArrivingUpdate::add_all(std::uint64_t weight) {
  HANSA_TRY_VOID(sum_.check_weight(weight));
  forget_older_sum();
  if (added_ > 0 && weight != weight_) take_out();
  weight_ = weight;
  if (spool_.in_memory())
    return spool_.visit([&](std::span<const float> values, std::size_t) -> Result<void> {
      if (!refused_) add(values.subspan(added_));
      if (refused_) return tl::unexpected<Error>(*refused_);
      return {};
    });
  // It comes in parts: it is looked at whole before the first is added.
  HANSA_TRY_VOID(spool_.visit(
      [&](std::span<const float> values, std::size_t first) { return sum_.check(values, first); }));
  return spool_.visit(
      [&](std::span<const float> values, std::size_t first) { return sum_.add(values, first, weight_); });
}

void ArrivingUpdate::take_out() {
  forget_older_sum();
  if (added_ > 0) sum_.subtract(values_of(spool_.arrived()).first(added_), 0, weight_);
  added_ = 0;
}

}  // namespace hansa::server
