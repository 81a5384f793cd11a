#include "protocols/secure_aggregation/opened_sums.h"

#include <algorithm>
#include <iterator>

namespace hansa::secure_aggregation {
namespace {

// The number of clients in `a` that are not in `b`.
std::size_t missing(const std::vector<ClientTag>& a, const std::vector<ClientTag>& b) {
  std::vector<ClientTag> out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out.size();
}

// Whether the difference of two sums mixes the updates of at least contributors_min clients on either side.
bool differ_enough(const OpenedSum& a, const OpenedSum& b, std::size_t contributors_min) {
  return missing(a.survivors, b.survivors) >= contributors_min &&
         missing(b.survivors, a.survivors) >= contributors_min;
}

}  // namespace

ClientTag tag_of(std::string_view client) {
  const Digest digest = sha256(client);
  ClientTag out;
  std::ranges::copy_n(digest.bytes.begin(), out.size(), out.begin());
  return out;
}

bool OpenedSums::has(const OpenedSum& sum) const { return std::ranges::find(sums_, sum) != sums_.end(); }

Result<void> OpenedSums::check(const OpenedSum& next, std::size_t contributors_min) const {
  std::size_t of_model = 0;
  for (const OpenedSum& earlier : sums_) {
    if (earlier.model != next.model) continue;
    // An equal sum shows nothing new. With another grid it does, as a sum of other updates does.
    if (earlier.survivors == next.survivors && earlier.update == next.update && earlier.grid == next.grid)
      return {};
    ++of_model;
  }
  if (of_model >= sums_per_model_max)
    return fail(ErrorCode::refused, "secure aggregation",
                "asks to open more than " + std::to_string(sums_per_model_max) + " sums from one model",
                "the round fails again and again: see the aggregator's log for the reason",
                {ReasonCode::sum_repeated, {}});
  for (const OpenedSum& earlier : sums_) {
    if (earlier.model != next.model || earlier.update != next.update || earlier.survivors == next.survivors)
      continue;
    if (!differ_enough(earlier, next, contributors_min))
      return fail(ErrorCode::refused, "secure aggregation",
                  "asks to open a second sum of the same update, whose difference from the first would show "
                  "the updates of few clients",
                  {}, {ReasonCode::sum_repeated, {}});
  }
  return {};
}

Result<void> OpenedSums::check_statistics(const OpenedSum& next, std::size_t contributors_min) const {
  if (has(next)) return {};
  const auto shows_few = [&](const OpenedSum& earlier) {
    return earlier.model == next.model && !differ_enough(earlier, next, contributors_min);
  };
  if (std::ranges::none_of(sums_, shows_few)) return {};
  return fail(ErrorCode::refused, "secure aggregation",
              "asks to open a second sum of statistics, whose difference from the first could show those of "
              "few clients",
              "begin the run with the statistics of an earlier one, or with as many other clients as a sum "
              "must have",
              {ReasonCode::sum_repeated, {}});
}

Result<void> OpenedSums::check_measured(const OpenedSum& next) const {
  if (has(next) || std::ranges::find(sums_, next.model, &OpenedSum::model) == sums_.end()) return {};
  return fail(
      ErrorCode::refused, "secure aggregation",
      "asks to open a second sum of one model with measurements on held-out examples, whose difference "
      "from the first could show those of few clients",
      {}, {ReasonCode::sum_repeated, {}});
}

void OpenedSums::add(OpenedSum sum) {
  if (has(sum)) return;
  if (sums_.size() == opened_sums_max) sums_.erase(sums_.begin());
  sums_.push_back(std::move(sum));
}

std::uint32_t OpenedSums::certificate_epoch() const {
  std::uint32_t out = 0;
  for (const OpenedSum& sum : sums_) out = std::max(out, sum.certificate_epoch);
  return out;
}

}  // namespace hansa::secure_aggregation
