#include "learning/internal/loaded_model.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <span>

#include <fcntl.h>
#include <torch/version.h>

#include "common/descriptor.h"
#include "common/read_at.h"
#include "common/text.h"
#include "learning/internal/archive_reader.h"
#include "learning/internal/graph_facts.h"
#include "learning/internal/model_file.h"
#include "learning/internal/shared_memory_check.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

constexpr std::int64_t alignment_floats = 16;  // 64 bytes: a cache line, an AVX-512 register

// Where an attribute is: "encoder.conv.weight" is attribute `weight` of submodule encoder.conv.
struct AttributePlace {
  torch::jit::Module module;
  std::string name;
};
AttributePlace place_of(torch::jit::Module module, std::string_view path) {
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    module = module.attr(std::string(path.substr(0, dot))).toModule();
    path.remove_prefix(dot + 1);
  }
  return {std::move(module), std::string(path)};
}

void assign_attribute(const torch::jit::Module& module, std::string_view path, const at::Tensor& value) {
  AttributePlace place = place_of(module, path);
  place.module.setattr(place.name, value);
}

// By the class in PyTorch's own code: "__torch__.torch.nn.modules.batchnorm.BatchNorm2d". Where two modules of one class have
// different code, the class names differ by a part "___torch_mangle_3".
bool is_normalisation(const torch::jit::Module& module) {
  const auto name = module.type()->name();
  if (!name) return false;
  const std::string& qualified = name->qualifiedName();
  constexpr std::array<std::string_view, 3> files{"batchnorm.", "instancenorm.", "normalization."};
  return std::ranges::any_of(files, [&](std::string_view file) {
    return qualified.starts_with("__torch__.torch.nn.modules." + std::string(file));
  });
}

at::Tensor attribute_of(const torch::jit::Module& module, std::string_view path) {
  const AttributePlace place = place_of(module, path);
  return place.module.attr(place.name).toTensor();
}

// " (encoder.dropout, decoder.dropout and 3 more)". Of the method's own code the layer has no name.
std::string some_of(std::span<const std::string> layers) {
  constexpr std::size_t shown_max = 8;
  std::string out;
  for (const std::string& layer : layers.first(std::min(layers.size(), shown_max)))
    out += (out.empty() ? "" : ", ") + (layer.empty() ? std::string("in forward") : printable(layer));
  return " (" + out +
         (layers.size() > shown_max ? " and " + std::to_string(layers.size() - shown_max) + " more" : "") +
         ")";
}

// Empty if the file cannot be read, which the reader reports.
std::optional<std::string> start_of(const ArchiveFile& archive) {
  std::string out(model_file_start_bytes, '\0');
  std::shared_ptr<const Descriptor> file = archive.file();
  if (!file) file = std::make_shared<Descriptor>(::open(archive.path().c_str(), O_RDONLY | O_CLOEXEC));
  const auto bytes = std::as_writable_bytes(std::span(out));
  const auto size = *file ? read_at(*file, 0, bytes) : std::nullopt;
  if (!size) return std::nullopt;
  out.resize(*size);
  return out;
}

}  // namespace

Result<LoadedModel> LoadedModel::open(const ArchiveFile& archive, std::span<const std::string> personal) {
  HANSA_TRY(LoadedModel model, read(archive, personal));
  return guarded(archive.location(), "cannot be opened", "", [&]() -> Result<LoadedModel> {
    model.bind_trainables();
    return std::move(model);
  });
}

Result<LoadedModel> LoadedModel::read(const ArchiveFile& archive, std::span<const std::string> personal) {
  const std::string location = archive.location();
  std::error_code error;
  if (!archive.is_open() && !std::filesystem::is_regular_file(archive.path(), error))
    return fail(ErrorCode::model, location, "does not exist", "name a TorchScript archive");
  const auto start = start_of(archive);
  if (const auto other = start ? find_other_than_model(*start) : std::nullopt)
    return fail(ErrorCode::model, location, other->what, other->hint, {ReasonCode::model_refused, {}});
  auto opened = guarded(location, "is not a TorchScript archive",
                        "make one with torch.jit.script(model).save(...)", [&]() -> Result<LoadedModel> {
                          LoadedModel model;
                          model.location_ = location;
                          HANSA_TRY(ReadArchive read, read_archive(archive));
                          model.module_ = std::move(read.module);
                          model.records_ = std::move(read.records);
                          if (!model.module_.find_method("forward"))
                            return fail(ErrorCode::model, location, "has no forward(x)",
                                        "export the whole model with torch.jit.script(model).save(...)");
                          model.find_evaluated();
                          model.compile();
                          HANSA_TRY_VOID(model.collect(personal));
                          return model;
                        });
  if (opened) return opened;
  if (const auto reason = explain_reading(opened.error().what, TORCH_VERSION)) {
    opened.error().what = reason->what;
    opened.error().hint = reason->hint;
  }
  return opened;
}

Result<void> LoadedModel::collect(std::span<const std::string> personal) {
  const WrittenAttributes written = this->written();
  for (const auto& parameter : module_.named_parameters(/*recurse=*/true)) {
    // Frozen parameters are equal on all devices: they keep the archived values and are never sent. One to which the code
    // writes, such as the copy of a teacher, is a buffer in all but its name.
    if (parameter.value.requires_grad())
      HANSA_TRY_VOID(add_slot(parameter.name, parameter.value, ParameterKind::trainable));
    else if (written.may_have(parameter.name))
      HANSA_TRY_VOID(add_slot(parameter.name, parameter.value, ParameterKind::buffer));
  }
  if (std::ranges::none_of(slots_, [](const Slot& slot) { return slot.kind == ParameterKind::trainable; }))
    return fail(ErrorCode::model, location_, "has no parameter to train",
                "export it in training mode, not frozen, with requires_grad set");
  for (const auto& buffer : module_.named_buffers(/*recurse=*/true)) {
    if (!buffer.value.defined()) continue;
    // A buffer to which no code writes, such as a mask or a table of positions, keeps its archived values everywhere.
    if (!written.may_have(buffer.name)) continue;
    if (at::isFloatingType(buffer.value.scalar_type())) {
      HANSA_TRY_VOID(add_slot(buffer.name, buffer.value, ParameterKind::buffer));
    } else {
      integer_buffers_.push_back({buffer.name, buffer.value, buffer.value.clone()});
    }
  }
  for (const Slot& slot : slots_)
    if (written.all || written.assigned.contains(slot.name)) assigned_.insert(slot.name);
  // What else the code keeps must not reach the next task, nor tensors that are views of a batch.
  const auto is_reset = [&](const std::string& path) {
    return std::ranges::find(slots_, path, &Slot::name) != slots_.end() ||
           std::ranges::find(integer_buffers_, path, &IntegerBuffer::name) != integer_buffers_.end();
  };
  traits_.assigns_attributes =
      written.all || !written.assigned.empty() || !std::ranges::all_of(written.changed, is_reset);
  find_normalisation();
  HANSA_TRY_VOID(divide(personal));
  collect_list_places();
  return {};
}

// By the classes of the layers, and by what the code normalises with.
void LoadedModel::find_normalisation() {
  std::set<std::string> names;
  for (const auto& part : module_.named_modules()) {
    if (!is_normalisation(part.value)) continue;
    const std::string prefix = part.name.empty() ? "" : part.name + ".";
    for (const auto& attribute : part.value.named_attributes(/*recurse=*/false))
      names.insert(prefix + attribute.name);
  }
  for (const torch::jit::Graph* graph : graphs()) names.merge(normalisation_attributes(*graph));
  for (Slot& slot : slots_)
    slot.normalises = names.contains(slot.name) || std::ranges::any_of(slot.aliases, [&](const auto& name) {
                        return names.contains(name);
                      });
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
  records_.clear();
  std::int64_t size = 0;
  for (const Slot& slot : slots_) {
    if (slot.kind != ParameterKind::trainable) continue;
    if (slot.tensor.dim() == 4) memory_order_ = MemoryOrder::channels_last;
    size += (slot.tensor.numel() + alignment_floats - 1) / alignment_floats * alignment_floats;
  }
  // Its pages are written one parameter after the other, while those of the archive's copy are given back.
  flat_ = at::empty({size}, at::kFloat);
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
    add_trainable(view, std::span(flat_.data_ptr<float>() + offset, static_cast<std::size_t>(count)));
    const std::int64_t next = offset + (count + alignment_floats - 1) / alignment_floats * alignment_floats;
    std::fill(flat_.data_ptr<float>() + offset + count, flat_.data_ptr<float>() + next, 0.0F);
    offset = next;
  }
}

Result<ValuePlaces> LoadedModel::places() const {
  HANSA_TRY_VOID(check_own_memory());
  ValuePlaces out;
  HANSA_TRY(out.shared, placed(layout(), tensors()));
  HANSA_TRY(out.personal, placed(personal_layout(), personal_tensors()));
  return out;
}

Result<void> LoadedModel::check_own_memory() const {
  std::vector<NamedTensor> own;
  std::set<std::string_view> names;  // of the same tensors
  for (const Slot& slot : slots_) {
    if (slot.kind != ParameterKind::trainable) continue;
    own.push_back({slot.name, slot.tensor});
    names.insert(slot.name);
    names.insert(slot.aliases.begin(), slot.aliases.end());
  }
  // A list that refers to a parameter itself gets its values.
  const auto is_list_place = [&](const at::Tensor& tensor) {
    return std::ranges::any_of(own, [&](const NamedTensor& one) { return same_memory(one.tensor, tensor); });
  };
  std::vector<at::Tensor> others;
  for (const auto& attribute : module_.named_attributes(/*recurse=*/true)) {
    if (attribute.value.isModule() || names.contains(attribute.name)) continue;
    std::vector<at::Tensor> found;
    collect_tensors(attribute.value, found);
    if (attribute.value.isTensorList()) std::erase_if(found, is_list_place);
    others.insert(others.end(), found.begin(), found.end());
  }
  if (const auto shared = find_shared_memory(own, others))
    return fail(
        ErrorCode::model, location_,
        "holds another tensor in the memory of " + printable(*shared) +
            ", so that no copy of it can hold the trained values of both",
        "give the parameter memory of its own before the export: p.data = p.data.clone(); or use hansa "
        "model export");
  return {};
}

Result<PlacedLayout> LoadedModel::placed(const ParameterLayout& layout,
                                         std::span<const at::Tensor> tensors) const {
  PlacedLayout out{layout, {}};
  for (const at::Tensor& tensor : tensors) {
    ValuePlace& place = out.places.emplace_back();
    const auto record = records_.find(tensor.storage().data_ptr().get());
    if (tensor.numel() > 0 && record == records_.end())
      return fail(ErrorCode::model, location_, "has values that are in no record of it",
                  "save the model again with torch.jit.script(model).save(...)");
    place.record = record == records_.end() ? "none" : record->second;
    place.offset = static_cast<std::uint64_t>(tensor.storage_offset());
    for (const std::int64_t stride : tensor.strides())
      place.strides.push_back(static_cast<std::uint64_t>(stride));
  }
  return out;
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
  forward_.emplace(module_, Method::forward);
  if (traits_.has_metrics) metrics_.emplace(module_, Method::metrics);
  if (traits_.has_training_loss) training_loss_.emplace(module_, Method::training_loss);
  traits_.has_representation = module_.find_method("representation").has_value();
  if (traits_.has_representation) representation_.emplace(module_, Method::representation);
  find_known_modes();
  for (const torch::jit::Graph* graph : graphs())
    traits_.draws_random_numbers |= learning::draws_random_numbers(*graph);
  traits_.normalises_batches = learning::normalises_batches(forward_->graph(), known_modes_);
  if (training_loss_)
    traits_.normalises_batches |= learning::normalises_batches(training_loss_->graph(), known_modes_);
}

std::vector<const torch::jit::Graph*> LoadedModel::graphs() const {
  std::vector<const torch::jit::Graph*> out;
  for (const std::optional<CompiledMethod>* method :
       {&forward_, &training_loss_, &metrics_, &representation_})
    if (*method) out.push_back(&(*method)->graph());
  return out;
}

// The parts that find_evaluated() found, unless the code may change the mode of a part.
void LoadedModel::find_known_modes() {
  if (always_evaluated_.empty()) return;
  for (const torch::jit::Graph* graph : graphs())
    if (assigns_modes(*graph)) return;
  std::set<std::string> paths;
  for (const EvaluatedPart& part : always_evaluated_) paths.insert(part.path);
  known_modes_ = KnownModes(std::move(paths));
}

WrittenAttributes LoadedModel::written() const {
  WrittenAttributes out;
  for (const torch::jit::Graph* graph : graphs()) {
    WrittenAttributes by_method = written_attributes(*graph, known_modes_);
    out.changed.merge(by_method.changed);
    out.assigned.merge(by_method.assigned);
    out.all = out.all || by_method.all;
  }
  // Other names of the same memory, also in lists.
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& attribute : module_.named_attributes(/*recurse=*/true)) {
    if (attribute.value.isTensor() && attribute.value.toTensor().defined() &&
        attribute.value.toTensor().has_storage())
      tensors.emplace_back(attribute.name, attribute.value.toTensor());
    if (attribute.value.isTensorList())
      for (const at::Tensor& element : attribute.value.toTensorVector())
        if (element.defined() && element.has_storage()) tensors.emplace_back(attribute.name, element);
  }
  const std::set<std::string> changed = out.changed;
  for (const auto& [name, tensor] : tensors)
    for (const auto& [other, other_tensor] : tensors)
      if (changed.contains(other) &&
          tensor.storage().data_ptr().get() == other_tensor.storage().data_ptr().get())
        out.changed.insert(name);
  return out;
}

std::string LoadedModel::fixed_mode_warning() const {
  using Effect = FixedMode::Effect;
  const std::vector<FixedMode> modes = fixed_modes(forward_->graph());
  if (modes.empty()) return "";
  std::string out;
  const auto add = [&](Effect effect, std::string_view sentence) {
    std::vector<std::string> layers;
    for (const FixedMode& mode : modes)
      if (mode.effect == effect) layers.push_back(mode.layer);
    if (!layers.empty()) out.append(out.empty() ? "" : "; ").append(sentence).append(some_of(layers));
    return !layers.empty();
  };
  add(Effect::drops_never, "dropout is always in evaluation mode: it drops nothing, also in training");
  add(Effect::uses_stored_statistics,
      "batch normalisation is always in evaluation mode: also in training it uses the mean and variance that "
      "the "
      "archive has, which keep their values and are not sent");
  const bool drops_always =
      add(Effect::drops_always,
          "dropout is always in training mode: it drops values also when the model is evaluated and used");
  const bool uses_batches = add(
      Effect::uses_batch_statistics,
      "batch normalisation is always in training mode: also when the model is evaluated and used it takes "
      "mean and "
      "variance from the batch, so that a result depends on the other examples of its batch");
  return "the code has a constant in place of the model's mode, as torch.jit.trace leaves it: " + out + ". " +
         (!drops_always && !uses_batches
              ? "Keep it if you mean a pre-trained part to compute what it did; otherwise export the model "
                "with "
                "torch.jit.script(model) instead of a trace"
              : "Export the model with torch.jit.script(model), or call model.eval() before the trace");
}

void LoadedModel::set_training(bool training) {
  module_.train(training);
  for (EvaluatedPart& part : always_evaluated_) part.module.setattr("training", false);
}

// Of a model that is archived in training mode: what is in evaluation mode there stays in it, such as the batch
// normalisation of a backbone that must not adapt.
void LoadedModel::find_evaluated() {
  const auto is_training = [](const torch::jit::Module& module) {
    return !module.hasattr("training") || module.attr("training").toBool();
  };
  if (!is_training(module_)) return;
  for (const auto& part : module_.named_modules())
    if (!is_training(part.value)) always_evaluated_.push_back({part.name, part.value});
}

Result<void> LoadedModel::bind(const ExampleShape& shape) {
  for (std::optional<CompiledMethod>* method : {&forward_, &training_loss_})
    if (*method) HANSA_TRY_VOID((*method)->bind(shape, location_));
  traits_.loss_takes_targets = !training_loss_ || training_loss_->takes_targets();
  representation_unfit_.clear();
  if (representation_)
    if (const auto bound = representation_->bind(shape, location_); !bound)
      representation_unfit_ = bound.error().text();
  metrics_unfit_.clear();
  if (!metrics_) return {};
  // A model whose metrics() cannot be called can be trained.
  if (const auto bound = metrics_->bind(shape, location_); !bound) metrics_unfit_ = bound.error().text();
  return {};
}

void LoadedModel::assign(std::span<const float> values) {
  const at::NoGradGuard no_grad;
  // Code that assigned an attribute has put another tensor there.
  for (const Slot& slot : slots_)
    if (assigned_.contains(slot.name)) rebind(slot);
  Model::assign(values);
  for (const IntegerBuffer& buffer : integer_buffers_) {
    assign_attribute(module_, buffer.name, buffer.tensor);
    at::Tensor(buffer.tensor).copy_(buffer.archived);
  }
}

// Takes over the tensors that the code has assigned.
void LoadedModel::refresh() {
  const at::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    if (!assigned_.contains(slot.name)) continue;
    const at::Tensor now = attribute_of(module_, slot.name);
    if (now.is_same(slot.tensor)) continue;
    TORCH_CHECK(now.defined() && now.sizes() == slot.tensor.sizes(), slot.name,
                " was assigned a tensor of another shape");
    slot.tensor.copy_(now);
  }
}

}  // namespace hansa::learning
