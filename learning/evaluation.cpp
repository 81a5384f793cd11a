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
  ArchiveEvaluator(LoadedModel model, std::unique_ptr<DataSource> source, int threads)
      : model_(std::move(model)),
        source_(std::move(source)),
        threads_(threads),
        archived_(model_.layout().element_count()),
        order_(source_->example_count()),
        batch_size_(batch_size_for(*source_)),
        reader_(*source_, batch_size_, model_.memory_order()) {
    model_.extract(archived_);
    std::iota(order_.begin(), order_.end(), 0U);
  }

  [[nodiscard]] Result<Metrics> evaluate(std::span<const float> parameters) override {
    const std::span<const float> values = parameters.empty() ? std::span<const float>(archived_) : parameters;
    if (values.size() != archived_.size())
      return fail(ErrorCode::model, model_.location(),
                  "holds " + std::to_string(archived_.size()) + " values, but " +
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
  Result<Metrics> run(std::span<const float> values) {
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

  LoadedModel model_;
  std::unique_ptr<DataSource> source_;
  int threads_;
  std::vector<float> archived_;
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
  return std::make_unique<ArchiveEvaluator>(std::move(model), std::move(data), threads);
}

}  // namespace hansa::learning
