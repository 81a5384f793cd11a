#include "protocols/codecs/update.h"

#include <algorithm>
#include <cassert>

#include "protocols/codecs/internal/entropy.h"
#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs {

Result<Update> Update::read(const Plan& plan, const Seeds& seeds, float magnitude_max,
                            std::span<const std::byte> bytes, std::vector<std::byte>& unpacked) {
  HANSA_TRY(std::span<const std::byte> rest, internal::unpack(bytes, plan.encoded_bytes_max(), unpacked));
  Update update(plan, seeds, magnitude_max);
  for (std::size_t i = 0; i < plan.parts_.size(); ++i) {
    const internal::Context context{internal::seeds_of(seeds, i), magnitude_max};
    const auto size = plan.parts_[i].codec->check(rest, context);
    if (!size)
      return fail(ErrorCode::protocol, "update",
                  "is not encoded as " + text_of(plan.segments()[i].spec) +
                      ", is cut short, or holds a value that is not finite or beyond +-" +
                      std::to_string(magnitude_max),
                  "lower the client's learning rate, or raise limits.magnitude_max");
    update.bodies_.push_back(rest.first(*size));
    rest = rest.subspan(*size);
  }
  if (!rest.empty()) return fail(ErrorCode::protocol, "update", "has bytes after its end");
  return update;
}

namespace {
struct Range {
  std::uint64_t first, last;
};
// What of [first, last) lies in a segment, counted from its start.
Range within(std::uint64_t first, std::uint64_t last, std::uint64_t start, std::uint64_t values) {
  const std::uint64_t end = start + values;
  return {std::clamp(first, start, end) - start, std::clamp(last, start, end) - start};
}
}  // namespace

void Update::fold(std::uint64_t first, std::uint64_t last, double factor,
                  std::span<std::int64_t> sums) const {
  assert(sums.size() == plan_->values());
  for (std::size_t i = 0; i < plan_->parts_.size(); ++i) {
    const Plan::Part& part = plan_->parts_[i];
    const std::uint64_t values = plan_->segments_[i].values;
    const Range range = within(first, last, part.first_value, values);
    if (range.first < range.last)
      part.codec->fold(bodies_[i], {internal::seeds_of(seeds_, i), magnitude_max_}, range.first, range.last,
                       factor, sums.subspan(part.first_value, values));
  }
}

void Update::accumulate(std::uint64_t first, std::uint64_t last, float sign, std::span<float> out) const {
  assert(out.size() == plan_->values());
  for (std::size_t i = 0; i < plan_->parts_.size(); ++i) {
    const Plan::Part& part = plan_->parts_[i];
    const std::uint64_t values = plan_->segments_[i].values;
    const Range range = within(first, last, part.first_value, values);
    if (range.first < range.last)
      part.codec->accumulate(bodies_[i], {internal::seeds_of(seeds_, i), magnitude_max_}, range.first,
                             range.last, sign, out.subspan(part.first_value, values));
  }
}

}  // namespace hansa::codecs
