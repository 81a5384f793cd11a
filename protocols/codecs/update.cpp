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
                      ", is truncated, or contains a value that is not finite or beyond +-" +
                      std::to_string(magnitude_max),
                  "lower the client's learning rate, or raise limits.magnitude_max");
    update.bodies_.push_back(rest.first(*size));
    update.seekable_ = update.seekable_ && plan.parts_[i].codec->is_seekable();
    rest = rest.subspan(*size);
  }
  if (!rest.empty()) return fail(ErrorCode::protocol, "update", "has bytes after its end");
  return update;
}

template <class Visit>
void Update::visit_segments(std::uint64_t first, std::uint64_t last, const Visit& visit) const {
  const auto& parts = plan_->parts_;
  const auto after = std::ranges::upper_bound(parts, first, {}, &Plan::Part::first_value);
  for (auto part = after == parts.begin() ? after : after - 1;
       part != parts.end() && part->first_value < last; ++part) {
    const auto i = static_cast<std::size_t>(part - parts.begin());
    const std::uint64_t begin = std::max(first, part->first_value) - part->first_value;
    const std::uint64_t end = std::min(last - part->first_value, plan_->segments_[i].values);
    if (begin < end) visit(*part, i, begin, end);
  }
}

void Update::fold(std::uint64_t first, std::uint64_t last, double factor,
                  std::span<std::int64_t> sums) const {
  assert(sums.size() == plan_->values());
  visit_segments(first, last,
                 [&](const Plan::Part& part, std::size_t i, std::uint64_t begin, std::uint64_t end) {
                   part.codec->fold(bodies_[i], {internal::seeds_of(seeds_, i), magnitude_max_}, begin, end,
                                    factor, sums.subspan(part.first_value, plan_->segments_[i].values));
                 });
}

void Update::accumulate(std::uint64_t first, std::uint64_t last, float sign, std::span<float> out) const {
  assert(out.size() == plan_->values());
  visit_segments(
      first, last, [&](const Plan::Part& part, std::size_t i, std::uint64_t begin, std::uint64_t end) {
        part.codec->accumulate(bodies_[i], {internal::seeds_of(seeds_, i), magnitude_max_}, begin, end, sign,
                               out.subspan(part.first_value, plan_->segments_[i].values));
      });
}

double Update::squares(std::uint64_t first, std::uint64_t last) const {
  double out = 0;
  visit_segments(
      first, last, [&](const Plan::Part& part, std::size_t i, std::uint64_t begin, std::uint64_t end) {
        out += part.codec->squares(bodies_[i], {internal::seeds_of(seeds_, i), magnitude_max_}, begin, end);
      });
  return out;
}

Checksum Update::accumulate(std::span<float> out) const {
  constexpr std::size_t cached_values = 1 << 15;
  const std::size_t stride = seekable_ ? cached_values : out.size();
  RunningChecksum sum;
  for (std::size_t at = 0; at < out.size(); at += stride) {
    const std::size_t last = std::min(at + stride, out.size());
    accumulate(at, last, 1.0F, out);  // blocks that begin before `at` and extend beyond it were added already
    sum.update(std::as_bytes(out.subspan(at, last - at)));
  }
  return sum.value();
}

}  // namespace hansa::codecs
