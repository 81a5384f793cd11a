#include "learning/internal/model.h"

#include <algorithm>

#include "common/name_pattern.h"
#include "learning/variance.h"

namespace hansa::learning {

std::vector<std::int64_t> strides_in_order(at::IntArrayRef sizes, MemoryOrder order) {
  if (order == MemoryOrder::channels_last && sizes.size() == 4)
    return at::get_channels_last_strides_2d(sizes);
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * std::max<std::int64_t>(sizes[i - 1], 1);
  return strides;
}

at::Tensor empty_in_order(at::IntArrayRef sizes, MemoryOrder order) {
  return at::empty_strided(sizes, strides_in_order(sizes, order), at::kFloat);
}

bool same_memory(const at::Tensor& a, const at::Tensor& b) {
  return a.numel() > 0 && a.data_ptr() == b.data_ptr() && a.sizes() == b.sizes() &&
         a.strides() == b.strides();
}

Result<void> Model::add_slot(const std::string& name, const at::Tensor& tensor, ParameterKind kind) {
  if (tensor.scalar_type() != at::kFloat || tensor.layout() != at::kStrided)
    return fail(ErrorCode::model, location_, name + " is not a dense float32 tensor",
                "call model.float() before torch.jit.script");
  for (Slot& slot : slots_) {
    if (slot.kind != kind || !same_memory(slot.tensor, tensor)) continue;
    slot.aliases.push_back(name);
    return {};
  }
  slots_.push_back({name, {}, tensor, kind});
  return {};
}

void Model::add_trainable(const at::Tensor& leaf, std::span<float> memory) {
  trainables_.push_back({leaf, memory});
  leaves_.push_back(leaf);
}

bool Model::fits(const Slot& slot, const std::string& pattern) {
  if (pattern == normalisation_layers) return slot.normalises;
  return matches_pattern(slot.name, pattern) ||
         std::ranges::any_of(slot.aliases,
                             [&](const std::string& name) { return matches_pattern(name, pattern); });
}

Result<void> Model::divide(std::span<const std::string> personal) {
  for (const std::string& pattern : personal) {
    bool found = false;
    for (Slot& slot : slots_) {
      if (!fits(slot, pattern)) continue;
      slot.personal = true;
      found = true;
    }
    if (found) continue;
    if (pattern == normalisation_layers)
      return fail(
          ErrorCode::model, location_,
          "has no normalisation layer with parameters, which \"" + pattern + "\" of personal selects",
          "list names of parameters in model.personal, or use another strategy.method than \"fedbn\"");
    std::string all;
    for (std::size_t i = 0; i < slots_.size() && i < 8; ++i) all += (i == 0 ? "" : ", ") + slots_[i].name;
    return fail(ErrorCode::model, location_, "has no parameter that matches \"" + pattern + "\" of personal",
                "its parameters are " + all + (slots_.size() > 8 ? ", ..." : ""));
  }
  HANSA_TRY(shared_, part_of(false));
  HANSA_TRY(personal_, part_of(true));
  if (shared_.slots.empty())
    return fail(ErrorCode::model, location_, "has no shared parameter: personal matches every parameter",
                "list fewer in model.personal");
  return {};
}

Result<Model::Part> Model::part_of(bool personal) const {
  Part out;
  std::vector<ParameterEntry> entries;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.personal != personal) continue;
    entries.push_back({slot.name, slot.tensor.sizes().vec(), slot.kind, 0, 0});
    out.slots.push_back(i);
  }
  HANSA_TRY(out.layout, ParameterLayout::create(std::move(entries)));
  return out;
}

std::vector<bool> Model::personal_trainables() const {
  std::vector<bool> out;
  for (const Slot& slot : slots_)
    if (slot.kind == ParameterKind::trainable) out.push_back(slot.personal);
  return out;
}

std::vector<at::Tensor> Model::tensors_of(const Part& part) const {
  std::vector<at::Tensor> out;
  for (const std::size_t slot : part.slots) out.push_back(slots_[slot].tensor);
  return out;
}

void Model::assign(const Part& part, std::span<const float> values) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < part.slots.size(); ++i) {
    const ParameterEntry& entry = part.layout.entries()[i];
    // copy_ only reads its source, but from_blob takes no const pointer.
    float* source = const_cast<float*>(values.data()) + entry.offset;
    at::Tensor to = slots_[part.slots[i]].tensor.detach();
    to.copy_(at::from_blob(source, entry.shape, at::kFloat));
    // A mean of variances is not negative, but rounding to the levels of the sum can make it slightly negative.
    if (is_variance(entry)) to.clamp_min_(0);
  }
}

void Model::extract(const Part& part, std::span<float> values) const {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < part.slots.size(); ++i) {
    const ParameterEntry& entry = part.layout.entries()[i];
    at::from_blob(values.data() + entry.offset, entry.shape, at::kFloat)
        .copy_(slots_[part.slots[i]].tensor.detach());
  }
}

}  // namespace hansa::learning
