#include "protocols/secure_aggregation/number_limits.h"

namespace hansa::secure_aggregation {

Result<void> check_numbers(const SumSetup& setup) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::usage, "secure aggregation", what); };
  const Quantisation& q = setup.quantisation;
  // Written so that NaN fails.
  const auto within = [](double number, double least, double most) {
    return number >= least && number <= most;
  };
  if (!within(q.clip, clip_lowest, clip_highest)) return wrong("needs a clip of 2^-40 to 2^40");
  if (!within(q.weight_unit, weight_unit_lowest, weight_unit_highest))
    return wrong("needs a weight_unit of 2^-48 to 2^48");
  if (!(q.fraction > 0 && q.fraction <= 1)) return wrong("needs a fraction above 0, at most 1");
  for (const Segment& segment : setup.segments)
    if (!within(segment.scale, scale_lowest, scale_highest)) return wrong("needs scales of 2^-128 to 2^128");
  return {};
}

}  // namespace hansa::secure_aggregation
