#include "protocols/codecs/encoder.h"

#include <algorithm>
#include <cassert>

#include "common/kernels/fold.h"
#include "common/kernels/hadamard.h"
#include "protocols/codecs/internal/entropy.h"
#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs {

bool Encoder::encode(std::span<const float> values, std::span<const float> state, std::span<float> next_state,
                     const Seeds& seeds, float magnitude_max, Entropy entropy, std::vector<std::byte>& out) {
  assert(values.size() == plan_->values() && next_state.size() == plan_->state_values());
  assert(state.empty() || state.size() == next_state.size());
  out.clear();
  out.reserve(std::min<std::uint64_t>(plan_->encoded_bytes_max(), values.size_bytes() + 64));
  out.push_back(static_cast<std::byte>(internal::Stored::plain));
  for (std::size_t i = 0; i < plan_->parts_.size(); ++i) {
    const Segment& segment = plan_->segments_[i];
    const Plan::Part& part = plan_->parts_[i];
    internal::Context context{internal::seeds_of(seeds, i), magnitude_max};
    auto input = values.subspan(part.first_value, segment.values);
    const bool feedback = has_error_feedback(segment.spec);
    const std::uint64_t residuals = feedback ? segment.values : 0;
    const auto residual = next_state.subspan(part.first_state, residuals);
    if (feedback) {
      if (kernels::first_outside(input, magnitude_max) != input.size()) return false;
      for (std::size_t j = 0; j < input.size(); ++j)
        residual[j] = input[j] + (state.empty() ? 0.0F : state[part.first_state + j]);
      input = residual;
      context.input_max = kernels::no_limit;
    }
    const std::size_t start = out.size();
    const std::uint64_t extra = part.codec->extra_state_values();
    const bool within =
        part.codec->encode(input, state.empty() ? state : state.subspan(part.first_state + residuals, extra),
                           next_state.subspan(part.first_state + residuals, extra), context, out);
    if (!within) return false;
    if (feedback)
      part.codec->accumulate(std::span<const std::byte>(out).subspan(start), context, 0, segment.values,
                             -1.0F, residual);
  }
  if (entropy == Entropy::if_smaller && pack(out, packed_)) out.swap(packed_);
  return true;
}

bool pack(std::span<const std::byte> update, std::vector<std::byte>& packed) {
  return internal::pack(update, packed);
}

}  // namespace hansa::codecs
