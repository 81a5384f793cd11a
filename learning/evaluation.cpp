#include "learning/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learning/data/scaled_source.h"
#include "learning/data_supply.h"
#include "learning/internal/batch.h"
#include "learning/internal/default_metrics.h"
#include "learning/internal/own_metrics.h"
#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"
#include "learning/internal/torch_settings.h"

namespace hansa::learning {
namespace {

constexpr std::size_t batch_bytes_max = std::size_t{64} << 20U;

// Examples that are evaluated at once: fewer if they are large.
std::size_t batch_size_for(const DataSource& source) {
  const std::size_t fit = batch_bytes_max / std::max<std::size_t>(source.shape().bytes(), 1);
  return std::min<std::size_t>(std::clamp<std::size_t>(fit, 1, 256), source.example_count());
}

class ArchiveEvaluator final : public Evaluator {
 public:
  ArchiveEvaluator(ArchiveFile archive, std::vector<std::string> personal, LoadedModel model,
                   std::unique_ptr<DataSource> source, int threads)
      : archive_(std::move(archive)),
        personal_(std::move(personal)),
        model_(std::move(model)),
        source_(std::move(source)),
        threads_(threads),
        order_(source_->example_count()),
        batch_size_(batch_size_for(*source_)),
        reader_(*source_, batch_size_, model_.memory_order()) {
    std::iota(order_.begin(), order_.end(), 0U);
  }

  [[nodiscard]] Result<Metrics> evaluate(std::span<const float> parameters) override {
    if (parameters.empty()) HANSA_TRY_VOID(find_archived());
    const std::span<const float> values = parameters.empty() ? std::span<const float>(archived_) : parameters;
    if (values.size() != model_.layout().element_count())
      return fail(ErrorCode::model, model_.location(),
                  "holds " + std::to_string(model_.layout().element_count()) + " values, but " +
                      std::to_string(values.size()) + " were given",
                  "give a vector made for this archive");
    return guarded(model_.location(), "cannot be evaluated on " + source_->location(),
                   "check that the model accepts examples of the data's shape", [&] { return run(values); });
  }
  [[nodiscard]] std::string warning() const override {
    const std::string& unfit = model_.metrics_unfit();
    return unfit.empty() ? "" : unfit + "; the model is evaluated without its metrics()";
  }

 private:
  // An aggregator evaluates only values of its own, and needs no copy of the archived ones.
  Result<void> find_archived() {
    if (!archived_.empty()) return {};
    std::vector<float> values(model_.layout().element_count());
    if (is_as_archived_) {
      model_.extract(values);
    } else {
      HANSA_TRY(LoadedModel unchanged, LoadedModel::read(archive_, personal_));
      if (unchanged.layout().digest() != model_.layout().digest())
        return fail(ErrorCode::model, model_.location(), "has changed since it was opened", "open it again");
      unchanged.extract(values);
    }
    archived_ = std::move(values);
    return {};
  }

  Result<Metrics> run(std::span<const float> values) {
    is_as_archived_ = false;
    const TorchSettings settings(threads_);
    const at::NoGradGuard no_grad;
    HANSA_TRY_VOID(model_.bind(source_->shape()));
    model_.assign(values);
    model_.set_training(false);
    const bool has_metrics = model_.traits().has_metrics && model_.metrics_unfit().empty();
    Metrics sums;
    DefaultMetrics defaults;
    for (std::size_t begin = 0; begin < order_.size(); begin += batch_size_) {
      const std::size_t size = std::min(batch_size_, order_.size() - begin);
      HANSA_TRY(const Batch batch, reader_.read(std::span(order_).subspan(begin, size)));
      reader_.prepare(following(order_, begin + size, batch_size_), std::nullopt);
      if (has_metrics) {
        add_metrics(model_.metrics(batch), sums);
      } else {
        HANSA_TRY_VOID(defaults.add(model_, batch, *source_));
      }
    }
    return has_metrics ? sums : defaults.sums();
  }

  ArchiveFile archive_;
  std::vector<std::string> personal_;
  LoadedModel model_;
  bool is_as_archived_ = true;  // nothing was assigned or evaluated yet
  std::unique_ptr<DataSource> source_;
  int threads_;
  std::vector<float> archived_;  // empty: nobody asked for them
  std::vector<std::uint32_t> order_;
  std::size_t batch_size_;
  BatchReader reader_;
};

}  // namespace

Result<std::unique_ptr<Evaluator>> make_evaluator(const std::filesystem::path& archive,
                                                  const DataConfig& data, int threads,
                                                  std::span<const std::string> personal,
                                                  std::span<const float> statistics) {
  HANSA_TRY(auto opened, open_examples(data));
  HANSA_TRY(auto source, scaled(std::move(opened), data.scale, statistics));
  return make_evaluator(ArchiveFile(archive), std::move(source), threads, personal);
}

Result<std::unique_ptr<Evaluator>> make_evaluator(const ArchiveFile& archive,
                                                  std::unique_ptr<DataSource> data, int threads,
                                                  std::span<const std::string> personal) {
  HANSA_TRY(auto model, LoadedModel::open(archive, personal));
  return std::make_unique<ArchiveEvaluator>(archive, std::vector(personal.begin(), personal.end()),
                                            std::move(model), std::move(data), threads);
}

}  // namespace hansa::learning
