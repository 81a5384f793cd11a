#include "learning/internal/loaded_model.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "common/name_pattern.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

constexpr std::int64_t alignment_floats = 16;  // 64 bytes: a cache line, an AVX-512 register

std::vector<std::int64_t> strides_in_order(at::IntArrayRef sizes, MemoryOrder order) {
  if (order == MemoryOrder::channels_last && sizes.size() == 4)
    return at::get_channels_last_strides_2d(sizes);
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * std::max<std::int64_t>(sizes[i - 1], 1);
  return strides;
}

// "encoder.conv.weight": assigned at submodule encoder.conv.
void assign_attribute(torch::jit::Module module, std::string_view path, const at::Tensor& value) {
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    module = module.attr(std::string(path.substr(0, dot))).toModule();
    path.remove_prefix(dot + 1);
  }
  module.setattr(std::string(path), value);
}

bool same_memory(const at::Tensor& a, const at::Tensor& b) {
  return a.numel() > 0 && a.data_ptr() == b.data_ptr() && a.sizes() == b.sizes() &&
         a.strides() == b.strides();
}

void read_block(const torch::jit::Block* block, ModelTraits& traits) {
  for (const torch::jit::Node* node : block->nodes()) {
    const std::string_view kind = node->kind().toQualString();
    traits.draws_random_numbers |= node->isNondeterministic();
    traits.normalises_batches |= kind == "aten::batch_norm" || kind == "aten::instance_norm";
    traits.assigns_attributes |= kind == "prim::SetAttr";
    for (const torch::jit::Block* inner : node->blocks()) read_block(inner, traits);
  }
}

}  // namespace

at::Tensor empty_in_order(at::IntArrayRef sizes, MemoryOrder order) {
  return at::empty_strided(sizes, strides_in_order(sizes, order), at::kFloat);
}

Result<LoadedModel> LoadedModel::open(const std::filesystem::path& path,
                                      std::span<const std::string> personal) {
  const std::string place = path.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return fail(ErrorCode::model, place, "is not there", "name a TorchScript archive");
  return guarded(place, "is not a TorchScript archive", "make one with torch.jit.script(model).save(...)",
                 [&]() -> Result<LoadedModel> {
                   LoadedModel model;
                   model.place_ = place;
                   model.module_ = torch::jit::load(place, at::kCPU);
                   if (!model.module_.find_method("forward"))
                     return fail(ErrorCode::model, place, "has no forward(x)",
                                 "export the whole model with torch.jit.script(model).save(...)");
                   HANSA_TRY_VOID(model.collect(personal));
                   model.bind_trainables();
                   model.compile();
                   return model;
                 });
}

Result<void> LoadedModel::collect(std::span<const std::string> personal) {
  const auto add = [&](const std::string& name, const at::Tensor& tensor,
                       ParameterKind kind) -> Result<void> {
    if (tensor.scalar_type() != at::kFloat || tensor.layout() != at::kStrided)
      return fail(ErrorCode::model, place_, name + " is not a dense float32 tensor",
                  "call model.float() before torch.jit.script");
    for (Slot& slot : slots_) {
      if (slot.kind != kind || !same_memory(slot.tensor, tensor)) continue;
      slot.aliases.push_back(name);
      return {};
    }
    slots_.push_back({name, {}, tensor, kind});
    return {};
  };
  for (const auto& parameter : module_.named_parameters(/*recurse=*/true)) {
    // Frozen parameters are the same everywhere: they stay as archived and never travel.
    if (!parameter.value.requires_grad()) continue;
    HANSA_TRY_VOID(add(parameter.name, parameter.value, ParameterKind::trainable));
  }
  if (slots_.empty())
    return fail(ErrorCode::model, place_, "has no parameter to train",
                "export it in training mode, not frozen, with requires_grad set");
  for (const auto& buffer : module_.named_buffers(/*recurse=*/true)) {
    if (!buffer.value.defined()) continue;
    if (at::isFloatingType(buffer.value.scalar_type())) {
      HANSA_TRY_VOID(add(buffer.name, buffer.value, ParameterKind::buffer));
    } else {
      integer_buffers_.push_back({buffer.value, buffer.value.clone()});
    }
  }
  HANSA_TRY_VOID(divide(personal));
  collect_list_places();
  return {};
}

Result<void> LoadedModel::divide(std::span<const std::string> personal) {
  for (const std::string& pattern : personal) {
    bool found = false;
    for (Slot& slot : slots_) {
      const bool fits = matches_pattern(slot.name, pattern) ||
                        std::ranges::any_of(slot.aliases, [&](const std::string& name) {
                          return matches_pattern(name, pattern);
                        });
      slot.personal |= fits;
      found |= fits;
    }
    if (found) continue;
    std::string all;
    for (std::size_t i = 0; i < slots_.size() && i < 8; ++i) all += (i == 0 ? "" : ", ") + slots_[i].name;
    return fail(ErrorCode::model, place_, "has no parameter that fits \"" + pattern + "\" of personal",
                "its parameters are " + all + (slots_.size() > 8 ? ", ..." : ""));
  }
  HANSA_TRY(shared_, part_of(false));
  HANSA_TRY(personal_, part_of(true));
  if (shared_.slots.empty())
    return fail(ErrorCode::model, place_, "shares nothing: personal fits every parameter",
                "name fewer in model.personal");
  return {};
}

Result<LoadedModel::Part> LoadedModel::part_of(bool personal) const {
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

void LoadedModel::collect_list_places() {
  for (const auto& attribute : module_.named_attributes(/*recurse=*/true)) {
    if (!attribute.value.isTensorList()) continue;
    const c10::List<at::Tensor> list = attribute.value.toTensorList();
    for (std::size_t i = 0; i < list.size(); ++i)
      for (std::size_t slot = 0; slot < slots_.size(); ++slot)
        if (same_memory(list.get(i), slots_[slot].tensor)) list_places_.push_back({list, i, slot});
  }
}

void LoadedModel::rebind(const Slot& slot) {
  assign_attribute(module_, slot.name, slot.tensor);
  for (const std::string& alias : slot.aliases) assign_attribute(module_, alias, slot.tensor);
  for (ListPlace& place : list_places_)
    if (&slots_[place.slot] == &slot) place.list.set(place.index, slot.tensor);
}

void LoadedModel::bind_trainables() {
  const at::NoGradGuard no_grad;
  std::int64_t size = 0;
  for (const Slot& slot : slots_) {
    if (slot.kind != ParameterKind::trainable) continue;
    if (slot.tensor.dim() == 4) memory_order_ = MemoryOrder::channels_last;
    size += (slot.tensor.numel() + alignment_floats - 1) / alignment_floats * alignment_floats;
  }
  flat_ = at::zeros({size}, at::kFloat);
  std::int64_t offset = 0;
  for (Slot& slot : slots_) {
    if (slot.kind != ParameterKind::trainable) continue;
    const std::int64_t count = slot.tensor.numel();
    at::Tensor view =
        flat_.as_strided(slot.tensor.sizes(), strides_in_order(slot.tensor.sizes(), memory_order_), offset)
            .detach();
    view.copy_(slot.tensor);
    view.set_requires_grad(true);
    slot.tensor = view;
    rebind(slot);
    trainables_.push_back(
        {view, std::span(flat_.data_ptr<float>() + offset, static_cast<std::size_t>(count))});
    leaves_.push_back(view);
    offset += (count + alignment_floats - 1) / alignment_floats * alignment_floats;
  }
}

void LoadedModel::bind_contiguous() {
  const at::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    if (slot.kind != ParameterKind::trainable) continue;
    slot.tensor = slot.tensor.detach().clone(at::MemoryFormat::Contiguous).set_requires_grad(true);
    rebind(slot);
  }
  trainables_.clear();
  leaves_.clear();
}

void LoadedModel::compile() {
  traits_.has_training_loss = module_.find_method("training_loss").has_value();
  traits_.has_metrics = module_.find_method("metrics").has_value();
  forward_.emplace(module_, "forward");
  read_block(forward_->graph().block(), traits_);
  if (traits_.has_metrics) metrics_.emplace(module_, "metrics");
  if (!traits_.has_training_loss) return;
  training_loss_.emplace(module_, "training_loss");
  read_block(training_loss_->graph().block(), traits_);
}

void LoadedModel::assign(std::span<const float> values) {
  assign(shared_, values);
  const at::NoGradGuard no_grad;
  for (const IntegerBuffer& buffer : integer_buffers_) at::Tensor(buffer.tensor).copy_(buffer.archived);
}

void LoadedModel::assign(const Part& part, std::span<const float> values) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < part.slots.size(); ++i) {
    const ParameterEntry& entry = part.layout.entries()[i];
    // copy_ only reads its source; from_blob has no const form.
    float* source = const_cast<float*>(values.data()) + entry.offset;
    at::Tensor to = slots_[part.slots[i]].tensor.detach();
    to.copy_(at::from_blob(source, entry.shape, at::kFloat));
    // A mean of variances is none below zero, but its rounding to the sum's grid may be, by a hair.
    if (entry.kind == ParameterKind::buffer && entry.name.ends_with("running_var")) to.clamp_min_(0);
  }
}

void LoadedModel::extract(const Part& part, std::span<float> values) const {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < part.slots.size(); ++i) {
    const ParameterEntry& entry = part.layout.entries()[i];
    at::from_blob(values.data() + entry.offset, entry.shape, at::kFloat)
        .copy_(slots_[part.slots[i]].tensor.detach());
  }
}

}  // namespace hansa::learning
