#include "learning/internal/method_vector.h"

#include <algorithm>
#include <utility>

#include "common/digest.h"
#include "learning/methods/kept_values.h"

namespace hansa::learning {

std::string text_option(const Method& method, std::string_view name) {
  const auto found = std::ranges::find(method.options, name, &Option::name);
  if (found == method.options.end()) return {};
  const auto* text = std::get_if<std::string>(&found->value);
  return text == nullptr ? std::string() : *text;
}

MethodVector::MethodVector(const TrainingRequest& request, std::string_view name)
    : name_(name), of_(sha256(request.layout.hex() + "\n" + text_option(request.method, "run"))) {
  const std::size_t values = request.inputs.front().values.size();
  found_ = find_kept_values(request.kept, name_, of_, values);
  if (found_.empty()) zeros_.resize(values);
}

std::span<const float> MethodVector::values() const {
  return found_.empty() ? std::span<const float>(zeros_) : found_;
}

void MethodVector::replace(std::vector<float> values, KeptVectors& kept) const {
  kept.insert_or_assign(name_, KeptVector(of_, std::move(values)));
}

}  // namespace hansa::learning
