#include "learning/data/kinds/records/labels.h"

#include <algorithm>

namespace hansa::learning::kinds {

Labels::Labels(const DataConfig& config)
    : config_(config),
      are_classes_(config.target == TargetKind::class_index),
      values_(no_values(are_classes_ ? ElementType::int64 : ElementType::float32)) {}

internal::ValueOf<void> Labels::add(std::string_view text) {
  if (are_classes_) {
    const auto label = internal::class_of(text, config_.classes);
    if (!label) return tl::unexpected(label.error());
    largest_ = std::max(largest_, *label);
    std::get<std::vector<std::int64_t>>(values_).push_back(*label);
  } else {
    const auto label = internal::real_of(text);
    if (!label) return tl::unexpected(label.error());
    std::get<std::vector<float>>(values_).push_back(*label);
  }
  return {};
}

TensorSpec Labels::target() const {
  if (!are_classes_) return real_target();
  return class_target(config_.classes.empty() ? largest_ + 1
                                              : static_cast<std::int64_t>(config_.classes.size()));
}

}  // namespace hansa::learning::kinds
