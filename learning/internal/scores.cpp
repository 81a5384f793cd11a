#include "learning/internal/scores.h"

#include <algorithm>
#include <span>
#include <vector>

#include "learning/data/example_shape.h"

namespace hansa::learning {
namespace {

bool are_equal(at::IntArrayRef a, at::IntArrayRef b) { return a == b; }

// Whether there is one value for each place, so that a dimension of 1 more or less does not matter.
bool are_paired(at::IntArrayRef a, at::IntArrayRef b) {
  const auto without_ones = [](at::IntArrayRef sizes) {
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < sizes.size(); ++i)
      if (i == 0 || sizes[i] != 1) out.push_back(sizes[i]);
    return out;
  };
  return without_ones(a) == without_ones(b);
}

}  // namespace

OutputKind kind_of(const at::Tensor& output, const at::Tensor& target) {
  if (!output.defined() || !output.is_floating_point() || output.dim() == 0 || target.dim() == 0 ||
      output.size(0) != target.size(0))
    return OutputKind::unfit;
  const bool has_labels = target.scalar_type() == at::kLong;
  // A transposed output has as many values, but those of other places.
  if (!has_labels)
    return are_paired(output.sizes(), target.sizes()) ? OutputKind::numbers : OutputKind::unfit;
  const at::IntArrayRef sizes = output.sizes(), wanted = target.sizes();
  if (output.dim() == target.dim() + 1) {
    if (sizes[1] > 1 && are_equal(sizes.slice(2), wanted.slice(1))) return OutputKind::classes;
    if (sizes.back() > 1 && are_equal(sizes.slice(0, sizes.size() - 1), wanted))
      return OutputKind::classes_last;
  }
  return are_paired(sizes, wanted) ? OutputKind::logit : OutputKind::unfit;
}

at::Tensor class_scores(const at::Tensor& output, OutputKind kind) {
  return kind == OutputKind::classes_last ? output.movedim(-1, 1) : output;
}

at::Tensor main_output(const c10::IValue& output) {
  if (output.isTensor()) return output.toTensor();
  if (!output.isTuple() || output.toTupleRef().size() == 0) return {};
  const c10::IValue& first = output.toTupleRef().elements()[0];
  return first.isTensor() ? first.toTensor() : at::Tensor();
}

void AccuracyCount::add(const at::Tensor& output, const Batch& batch, bool are_logits) {
  if (!fits_) return;
  const OutputKind kind = batch.targets.size() == 1 ? kind_of(output, batch.targets[0]) : OutputKind::unfit;
  const bool labels = !batch.targets.empty() && batch.targets[0].scalar_type() == at::kLong;
  fits_ = labels && kind != OutputKind::unfit;
  if (!fits_) return;
  const at::NoGradGuard no_grad;
  if (kind == OutputKind::logit) {
    is_sure_ = is_sure_ || are_logits || output.lt(0).logical_or(output.gt(1)).any().item<bool>();
    add_logits(output, batch.targets[0]);
  } else {
    is_sure_ = true;
    add_classes(class_scores(output, kind), batch.targets[0]);
  }
}

// The first of the largest scores counts. The common case, one label for each example, is a loop without allocations.
void AccuracyCount::add_classes(const at::Tensor& scores, const at::Tensor& target) {
  if (scores.dim() == 2 && scores.scalar_type() == at::kFloat) {
    const at::Tensor rows = scores.detach().contiguous();
    const auto classes = static_cast<std::size_t>(rows.size(1));
    const float* row = rows.data_ptr<float>();
    for (const std::int64_t label :
         std::span(target.data_ptr<std::int64_t>(), static_cast<std::size_t>(target.numel()))) {
      correct_ += std::max_element(row, row + classes) - row == label ? 1 : 0;
      counted_ += label != ignored_label ? 1 : 0;
      row += classes;
    }
    return;
  }
  correct_ += static_cast<std::uint64_t>(scores.argmax(1).eq(target).sum().item<std::int64_t>());
  counted_ += static_cast<std::uint64_t>(target.ne(ignored_label).sum().item<std::int64_t>());
}

void AccuracyCount::add_logits(const at::Tensor& logits, const at::Tensor& target) {
  const at::Tensor predicted = logits.detach().reshape(target.sizes()).gt(0).to(at::kLong);
  correct_ += static_cast<std::uint64_t>(predicted.eq(target).sum().item<std::int64_t>());
  counted_ += static_cast<std::uint64_t>(target.ne(ignored_label).sum().item<std::int64_t>());
}

std::optional<Metric> AccuracyCount::metric() const {
  if (!fits_ || !is_sure_ || counted_ == 0) return std::nullopt;
  return Metric{"accuracy", static_cast<double>(correct_), static_cast<double>(counted_)};
}

}  // namespace hansa::learning
