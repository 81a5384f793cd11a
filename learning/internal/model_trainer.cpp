#include "learning/internal/model_trainer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <memory>
#include <optional>
#include <sstream>
#include <tuple>

#include "common/column_statistics.h"
#include "common/held_out_metrics.h"
#include "learning/damaged_examples.h"
#include "learning/data/scaled_source.h"
#include "learning/hold_out.h"
#include "learning/internal/broadcast_check.h"
#include "learning/internal/held_out.h"
#include "learning/internal/memory_estimate.h"
#include "learning/internal/torch_guard.h"
#include "learning/internal/torch_settings.h"
#include "learning/internal/update_check.h"
#include "learning/methods/registry.h"
#include "learning/model_archive.h"
#include "learning/model_saver.h"
#include "learning/statistics_task.h"

namespace hansa::learning {
namespace {

// Where the layout of a program's own module first differs from the archive's.
std::string first_difference(const ParameterLayout& archived, const ParameterLayout& own) {
  const auto next_line = [](std::istringstream& lines) {
    std::string line;
    return std::getline(lines, line) ? "\"" + line + "\"" : std::string("nothing");
  };
  std::istringstream of_archive(archived.text()), of_module(own.text());
  std::string wanted, found;
  do {
    wanted = next_line(of_archive);
    found = next_line(of_module);
  } while (wanted == found);
  return "has " + wanted + ", where the program's module has " + found;
}

bool is_finite(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

class ModelTrainer final : public Trainer {
 public:
  ModelTrainer(LocalTrainerConfig config, OpenModel open)
      : config_(std::move(config)), open_(std::move(open)) {
    if (!config_.supply) {
      config_.supply = supply_data(config_.data);
      config_.scale = config_.data.scale;
    }
    if (!config_.methods) config_.methods = std::make_shared<const MethodRegistry>(shipped_methods());
    table_ = config_.methods->table();
    table_.push_back(statistics_method_description());
  }

  [[nodiscard]] Result<AvailableData> available_data(std::stop_token /*stop*/) override {
    return config_.supply->available();
  }

  [[nodiscard]] const MethodTable& methods() const override { return table_; }

  [[nodiscard]] Result<TrainingResult> train(const TrainingRequest& request,
                                             std::span<const OutputVector> outputs,
                                             std::stop_token stop) override {
    HANSA_TRY_VOID(check_method(table_, request.method));
    if (request.method.name == statistics_method) {
      HANSA_TRY(const TrainingData data, config_.supply->open(request.task));
      return run_statistics_task(*data.source, config_.scale, request, outputs, stop);
    }
    const TrainingMethod& method = *config_.methods->find(request.method.name);
    HANSA_TRY_VOID(check_vectors(method.description(), request, outputs));
    HANSA_TRY(const TrainingData data, config_.supply->open(request.task));
    return guarded(request.archive.location(), "cannot be trained on " + data.source->location(),
                   "check that the model accepts examples of the data's shape",
                   [&] { return train_unguarded(method, request, data, outputs, stop); });
  }

 private:
  // The client's agent has checked the task against its own descriptions; this checks it against the trainer's.
  static Result<void> check_vectors(const MethodDescription& method, const TrainingRequest& request,
                                    std::span<const OutputVector> outputs) {
    const auto are = [](const auto& vectors, std::string_view first, const std::vector<std::string>& others) {
      return vectors.size() == others.size() + 1 && vectors.front().name == first &&
             std::equal(others.begin(), others.end(), vectors.begin() + 1,
                        [](const std::string& name, const auto& vector) { return name == vector.name; });
    };
    std::span<const InputVector> inputs = request.inputs;
    if (statistics_of(request) != nullptr) inputs = inputs.first(inputs.size() - 1);
    if (are(inputs, model_input, method.inputs) && are(outputs, delta_output, method.outputs)) return {};
    return fail(ErrorCode::refused, "method \"" + method.name + "\"",
                "has other inputs or outputs in this trainer");
  }

  // The federation's statistics, which are the last input; null if the task has none.
  static const InputVector* statistics_of(const TrainingRequest& request) {
    const bool has = request.inputs.size() > 1 && request.inputs.back().name == statistics_input;
    return has ? &request.inputs.back() : nullptr;
  }

  // The examples as the model gets them. Empty: as they are.
  Result<std::unique_ptr<DataSource>> scaled(const TrainingRequest& request,
                                             const std::shared_ptr<const DataSource>& source) const {
    if (config_.scale != Scaling::federation) return nullptr;
    const InputVector* found = statistics_of(request);
    if (found == nullptr)
      return fail(ErrorCode::usage, source->location(),
                  "is to be scaled by the federation's statistics (data.scale), and the federation has none",
                  "ask the operator for [statistics] in federation.toml, or set another scale in [data]");
    HANSA_TRY(const ColumnStatistics statistics, hansa::statistics_of_vector(found->values));
    HANSA_TRY(auto out, ScaledSource::create(source, statistics));
    return std::unique_ptr<DataSource>(std::move(out));
  }

  // A warning for the device's log; empty: none.
  [[nodiscard]] std::string unscaled_note(const TrainingRequest& request) const {
    if (statistics_of(request) == nullptr || config_.scale == Scaling::federation) return {};
    return "the federation has statistics, and this client does not scale by them: set scale = "
           "\"federation\" in [data] if the other clients do";
  }

  Result<void> open_model(const ArchiveFile& archive, const std::vector<std::string>& personal) {
    const std::string identity = archive.identity();
    if (model_ && identity == identity_ && personal == patterns_ && !model_->traits().assigns_attributes)
      return {};
    model_.reset();  // released first, because two models may need more memory than the device has
    memory_checked_for_batch_ = 0;
    loss_checked_ = false;
    HANSA_TRY(model_, open_(archive, personal));
    identity_ = identity;
    patterns_ = personal;
    archived_personal_.resize(model_->personal_layout().element_count());
    model_->extract_personal(archived_personal_);
    return {};
  }

  // Each set of personal parameters has its own kept values. A new set starts with the archived values.
  [[nodiscard]] std::string personal_name() const { return personal_vector_name(model_->personal_layout()); }

  void find_personal(const KeptVectors& kept) {
    personal_ = archived_personal_;
    const auto found = kept.find(personal_name());
    if (found != kept.end() && found->second.values().size() == personal_.size())
      personal_ = found->second.values();
  }

  [[nodiscard]] KeptVectors kept_personal() const {
    if (personal_.empty()) return {};
    return {{personal_name(), {model_->personal_layout().digest(), personal_}}};
  }

  [[nodiscard]] const MethodDescription& described(const TrainingRequest& request) const {
    return config_.methods->find(request.method.name)->description();
  }

  Result<void> check_layout(const TrainingRequest& request) const {
    const Digest found = model_->layout().digest();
    if (found == request.layout) return {};
    // A program's own module may differ from the archive. If the task is for the archive, the error says how they
    // differ.
    const auto archived =
        describe_archive(request.archive, training_config(described(request), request.method).personal);
    return fail(
        ErrorCode::model, request.archive.location(),
        archived && archived->layout.digest() == request.layout
            ? first_difference(archived->layout, model_->layout())
            : "has the parameter layout " + found.brief() + ", but the task is for " + request.layout.brief(),
        model_->other_layout_hint(), {ReasonCode::layout_differs, {}});
  }

  // The sizes come from the aggregator, which need not know the layout that it names.
  Result<void> check_sizes(const TrainingRequest& request, std::span<const OutputVector> outputs) const {
    const std::size_t elements = model_->layout().element_count();
    const auto check = [&](std::string_view kind, const std::string& name,
                           std::size_t values) -> Result<void> {
      if (values == elements) return {};
      return fail(ErrorCode::model, model_->location(),
                  "has " + std::to_string(elements) + " values, but the task's " + std::string(kind) + " \"" +
                      name + "\" has " + std::to_string(values),
                  {}, {ReasonCode::layout_differs, {}});
    };
    for (const InputVector& input : request.inputs)
      if (&input != statistics_of(request)) HANSA_TRY_VOID(check("input", input.name, input.values.size()));
    for (const OutputVector& output : outputs)
      HANSA_TRY_VOID(check("output", output.name, output.values.size()));
    return {};
  }

  // Checked once for each model: a loss of its own that broadcasts would train towards the mean of the targets.
  Result<void> check_loss(const DataSource& source) {
    if (loss_checked_ || !model_->traits().has_training_loss) return {};
    HANSA_TRY(const std::string warning, find_broadcast(*model_, source));
    loss_checked_ = warning.empty();  // other weights may show what these do not
    return {};
  }

  // Checked once for each model, method and batch size, because it costs the training on two examples.
  Result<void> check_memory(const TrainingRequest& request, const DataSource& source,
                            const std::stop_token& stop) {
    const TrainingConfig config = training_config(described(request), request.method);
    if (config_.memory_bytes_max == 0 ||
        (memory_checked_for_batch_ == config.batch_size && memory_checked_for_ == request.method.name))
      return {};
    // An input is held once. An output is held twice, because it is copied to the caller only on success.
    const MethodDescription& method = described(request);
    const TrainingMethod& trained_by = *config_.methods->find(method.name);
    const StepComputes step =
        trained_by.computes_representations() ? StepComputes::loss_and_representation : StepComputes::loss;
    HANSA_TRY(std::uint64_t needed, estimate_training_memory_bytes(*model_, source, config, step));
    HANSA_TRY(const std::uint64_t further, trained_by.further_bytes({*model_, source, request, {}, stop}));
    const std::size_t vectors = method.inputs.size() + 2 * method.outputs.size() + trained_by.vectors_held();
    needed += further + vectors * model_->layout().element_count() * sizeof(float);
    if (needed > config_.memory_bytes_max) {
      constexpr std::uint64_t mebibyte = 1 << 20;
      return fail(ErrorCode::resource, model_->location(),
                  "needs about " + std::to_string(needed / mebibyte + 1) + " MiB to train with batches of " +
                      std::to_string(config.batch_size) + ", and " +
                      std::to_string(config_.memory_bytes_max / mebibyte) + " MiB are allowed",
                  "raise the client's memory limit, raise training.accumulate, or lower training.batch_size",
                  {ReasonCode::memory_short,
                   {{Quantity::bytes_needed, needed}, {Quantity::bytes_allowed, config_.memory_bytes_max}}});
    }
    memory_checked_for_batch_ = config.batch_size;
    memory_checked_for_ = request.method.name;
    return {};
  }

  void assign(std::span<const float> global, std::span<const float> personal) {
    model_->assign(global);
    model_->assign_personal(personal);
  }

  struct ScopeNames {
    HeldOutNames names;
    std::string_view own;
  };

  // Of the values that the model holds. Own metrics that cannot be measured are left out, and the note says why.
  Result<void> measure_scope(const TrainingRequest& request, const DataSource& examples,
                             const ScopeNames& scope, const std::stop_token& stop, Metrics& out) {
    const HeldOutRun run{training_config(described(request), request.method).batch_size, request.seed};
    HANSA_TRY(const Metrics metrics, measure_held_out(*model_, examples, scope.names, run, stop));
    out.insert(out.end(), metrics.begin(), metrics.end());
    if (request.own_metrics.empty()) return {};
    const auto own = guarded(model_->location(), "its metrics() cannot be computed", "", [&] {
      return measure_own_metrics(*model_, examples, request.own_metrics, scope.own, run, stop);
    });
    if (own) out.insert(out.end(), own->begin(), own->end());
    else if (own.error().reason.code == ReasonCode::stopped) return tl::unexpected<Error>(own.error());
    else note_ = "the model's own metrics are not measured: " + own.error().text();
    return {};
  }

  // The global model, with the archived values of personal parameters as on the aggregator; then the model with this
  // device's own values. Empty if the task does not ask, or no example is held out.
  Result<Metrics> measure(const TrainingRequest& request, const DataSource& source,
                          std::vector<std::uint32_t> held_out, const std::stop_token& stop) {
    if (!request.hold_out || request.hold_out->measure == Measure::no || held_out.empty()) return Metrics{};
    const ExampleSubset subset(source, std::move(held_out));
    const ReplacedExamples examples(subset, *damaged_);
    const std::span<const float> global = request.inputs.front().values;
    Metrics out;
    assign(global, archived_personal_);
    HANSA_TRY_VOID(
        measure_scope(request, examples, {{held_out_loss, held_out_accuracy}, held_out_own}, stop, out));
    const auto own = config_.methods->find(request.method.name)->personal_model(request, model_->layout());
    if (personal_.empty() && !own) return out;
    assign(own.value_or(global), personal_);
    HANSA_TRY_VOID(measure_scope(
        request, examples, {{held_out_personal_loss, held_out_personal_accuracy}, held_out_personal_own},
        stop, out));
    return out;
  }

  // A model that cannot be measured can be trained: then nothing is reported, and the note says why.
  Result<Metrics> measure_or_note(const TrainingRequest& request, const DataSource& source,
                                  std::vector<std::uint32_t> held_out, const std::stop_token& stop) {
    note_.clear();
    auto measured =
        guarded(model_->location(), "cannot be measured on held-out examples", "",
                [&]() -> Result<Metrics> { return measure(request, source, std::move(held_out), stop); });
    if (measured || measured.error().reason.code == ReasonCode::stopped) return measured;
    note_ = "held-out examples are not measured: " + measured.error().text();
    return Metrics{};
  }

  Result<TrainingResult> train_unguarded(const TrainingMethod& method, const TrainingRequest& request,
                                         const TrainingData& data, std::span<const OutputVector> outputs,
                                         const std::stop_token& stop) {
    const TorchSettings settings(config_.threads);
    const std::span<const float> global = request.inputs.front().values;
    HANSA_TRY_VOID(
        open_model(request.archive, training_config(method.description(), request.method).personal));
    HANSA_TRY_VOID(check_layout(request));
    HANSA_TRY_VOID(check_sizes(request, outputs));
    find_personal(request.kept);
    // The examples that are held out are chosen by their values before they are scaled.
    HANSA_TRY(const auto scaled_source, scaled(request, data.source));
    const DataSource& all = scaled_source ? *scaled_source : *data.source;
    damaged_.emplace(data.source->damaged_files_max());
    ExampleSplit split;
    std::optional<ExampleSubset> subset;
    if (request.hold_out) {
      HANSA_TRY(split, split_examples(*data.source, request.hold_out->fraction, request.hold_out_key, stop));
      if (split.training.size() < (model_->traits().normalises_batches ? 2U : 1U))
        return fail_all_held_out(*data.source);
      subset.emplace(all, std::move(split.training));
    }
    const ReplacedExamples source(subset ? static_cast<const DataSource&>(*subset) : all, *damaged_);
    if (model_->traits().normalises_batches && source.example_count() < 2)
      return fail(ErrorCode::data, source.location(),
                  "has one example, and the model normalises batches, which needs two",
                  "give this client more examples, or use a model with group or layer normalisation",
                  {ReasonCode::too_few_examples, {}});
    assign(global, personal_);
    HANSA_TRY_VOID(model_->bind(source.shape()));
    HANSA_TRY_VOID(check_loss(source));
    HANSA_TRY_VOID(check_memory(request, source, stop));
    HANSA_TRY(const Metrics held_out, measure_or_note(request, all, std::move(split.held_out), stop));
    // The model may have counted its calls. A training must not depend on whether the round measures.
    if ((!held_out.empty() || !note_.empty()) && model_->traits().assigns_attributes) {
      HANSA_TRY_VOID(open_model(request.archive, std::vector<std::string>(patterns_)));
      HANSA_TRY_VOID(model_->bind(source.shape()));
    }
    assign(global, personal_);
    further_.resize(outputs.size() - 1);
    for (std::vector<float>& vector : further_) vector.assign(global.size(), 0);
    HANSA_TRY(TrainingResult result, method.train({*model_, source, request, further_, stop}));
    result.metrics.insert(result.metrics.end(), held_out.begin(), held_out.end());
    result.note = unscaled_note(request);
    for (const std::string& note : {note_, damaged_->note(data.source->location())})
      if (!note.empty()) result.note += (result.note.empty() ? "" : "; ") + note;
    result.new_examples = data.new_examples;
    result.data_mark = data.mark;

    local_.resize(global.size());
    model_->extract(local_);
    model_->extract_personal(personal_);
    for (std::size_t i = 0; i < local_.size(); ++i) local_[i] -= global[i];
    HANSA_TRY_VOID(check_update(model_->layout(), local_, request.magnitude_max, *data.source));
    const auto is_kept_finite = [](const auto& kept) { return is_finite(kept.second.values()); };
    if (!is_finite(personal_) || !std::ranges::all_of(further_, is_finite) ||
        !std::ranges::all_of(result.kept, is_kept_finite))
      return fail(
          ErrorCode::data, data.source->location(), "the weights became infinite or NaN in the last step",
          "lower training.learning_rate, and check the data for extreme values", {ReasonCode::diverged, {}});
    result.kept.merge(kept_personal());
    std::ranges::copy(local_, outputs.front().values.begin());
    for (std::size_t i = 0; i < further_.size(); ++i)
      std::ranges::copy(further_[i], outputs[i + 1].values.begin());
    return result;
  }

  LocalTrainerConfig config_;
  OpenModel open_;
  MethodTable table_;  // the registry's, and the statistics
  std::unique_ptr<Model> model_;
  std::vector<std::string> patterns_;  // of its personal parameters
  std::vector<float> archived_personal_;
  std::vector<float> personal_;
  std::string identity_;  // of the archive
  std::string note_;  // of the current training
  std::optional<DamagedFiles> damaged_;  // likewise
  bool loss_checked_ = false;
  std::uint64_t memory_checked_for_batch_ = 0;
  std::string memory_checked_for_;  // the method
  // Results. They are copied to the caller's outputs only on success.
  std::vector<float> local_;
  std::vector<std::vector<float>> further_;
};

}  // namespace

std::unique_ptr<Trainer> make_model_trainer(const LocalTrainerConfig& config, OpenModel open) {
  return std::make_unique<ModelTrainer>(config, std::move(open));
}

}  // namespace hansa::learning
