#include "learning/data/kinds/jsonl/number_array.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::int64_t unknown = -1;

internal::InvalidValue refusal(std::string what, std::string hint) {
  return {std::move(what), std::move(hint), ReasonCode::value_invalid};
}
internal::InvalidValue ragged() {
  return refusal("is an array whose parts have different shapes", "pad them to one shape");
}

}  // namespace

std::optional<internal::InvalidValue> NumberArray::begin() {
  if (!counts_.empty()) ++counts_.back();
  if (number_depth_ > 0 && counts_.size() >= number_depth_) return ragged();
  if (counts_.size() == json_dimensions_max)
    return refusal("is an array of more than 8 dimensions", "flatten some of them");
  counts_.push_back(0);
  if (to_->shape.size() < counts_.size()) to_->shape.push_back(unknown);
  return std::nullopt;
}

std::optional<internal::InvalidValue> NumberArray::end() {
  const std::int64_t count = counts_.back();
  counts_.pop_back();
  if (count == 0) return refusal("is an array without a value", "remove the line, or correct it");
  std::int64_t& size = to_->shape[counts_.size()];
  if (size != unknown && size != count) return ragged();
  size = count;
  return std::nullopt;
}

std::optional<internal::InvalidValue> NumberArray::add(double real, std::optional<std::int64_t> integer) {
  ++counts_.back();
  if (number_depth_ == 0) number_depth_ = counts_.size();
  if (number_depth_ != counts_.size() || to_->shape.size() != number_depth_) return ragged();
  to_->reals.push_back(real);
  if (integer) to_->integers.push_back(*integer);
  return std::nullopt;
}

}  // namespace hansa::learning::kinds
