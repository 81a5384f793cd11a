#include "server/engine/internal/round_committer.h"

#include <cassert>
#include <iterator>
#include <thread>
#include <utility>

namespace hansa::server::internal {
namespace {

std::vector<std::string> strings(std::span<const std::string_view> names) {
  return {names.begin(), names.end()};
}

void fill_in(SecureSumRecord& record, SumTotals totals) {
  record.examples = totals.examples;
  record.metrics = std::move(totals.metrics);
  record.next_clip = totals.next_clip;
  record.next_scales = std::move(totals.next_scales);
}

}  // namespace

RoundCommitter::RoundCommitter(const CommitterConfig& config, Store& store, UpdateForm& form,
                               WorkerPool& workers)
    : store_(store),
      form_(form),
      optimizer_(make_server_optimizer(config.optimizer, workers)),
      sum_up_(workers),
      optimizer_state_(strings(optimizer_->state_names()), config.elements),
      method_state_(config.method_vectors, config.elements),
      publisher_(make_publisher(config.compression, store)),
      model_(std::make_shared<PageVector<float>>(config.elements)) {}

Result<ServedModel> RoundCommitter::restore(const Store::Position& position,
                                            std::span<const StateVector> state, EngineObserver& observer) {
  HANSA_TRY_VOID(store_.get_model(position.model, *model_));
  HANSA_TRY_VOID(optimizer_state_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(method_state_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(publisher_->restore(position, model_, observer));
  digest_ = position.model;
  return publisher_->served(digest_, model_);
}

Model RoundCommitter::next_model() const {
  return model_.use_count() == 1 ? model_ : std::make_shared<PageVector<float>>(model_->size());
}

void RoundCommitter::step(const Mean& mean) {
  const std::size_t elements = model_->size();
  assert(mean.elements() == elements * (1 + method_state_.size()));
  const Model next = next_model();
  optimizer_->step(*model_, PartOfMean(mean, 0, elements), optimizer_state_.spans(), *next);
  model_ = next;
  for (std::size_t i = 0; i < method_state_.size(); ++i) {
    const std::span<float> vector = method_state_.spans()[i];
    sum_up_.step(vector, PartOfMean(mean, (1 + i) * elements, elements), {}, vector);
  }
}

CommitOutcome RoundCommitter::commit(RoundRecord record, const std::optional<SumOpening>& opening) {
  {
    auto aggregate = form_.finish(opening);
    if (!aggregate) {
      if (aggregate.error().code == ErrorCode::storage) return std::move(aggregate).error();
      return Refused{record.round, aggregate.error().text(), publisher_->served(digest_, model_)};
    }
    step(aggregate->mean);
    if (record.secure) fill_in(*record.secure, std::move(aggregate->totals));
  }
  if (auto stored = store(record); !stored) return std::move(stored).error();
  digest_ = record.model;
  ServedModel served = publisher_->served(digest_, model_);
  return Committed{std::move(record), std::move(served)};
}

Result<void> RoundCommitter::store(RoundRecord& record) {
  Result<Digest> model{Digest{}};
  Result<std::vector<StateVector>> optimizer_state, method_state;
  Result<std::optional<Published>> published{std::nullopt};
  {
    // The disk and the codec need not wait for each other.
    std::optional<std::jthread> storing;
    const auto store = [&] {
      model = store_.put_model(*model_);
      optimizer_state = optimizer_state_.put(store_);
      method_state = method_state_.put(store_);
    };
    if (model_->size() >= elements_worth_a_thread) storing.emplace(store);
    else store();
    published = publisher_->publish(record.round, model_, form_.scratch());
    form_.release();
  }
  HANSA_TRY(record.model, std::move(model));
  HANSA_TRY(record.state, std::move(optimizer_state));
  HANSA_TRY(auto of_method, std::move(method_state));
  std::ranges::move(of_method, std::back_inserter(record.state));
  HANSA_TRY(record.published, std::move(published));
  if (record.published && store_.wants_published_vector(record.round)) {
    HANSA_TRY(record.published->vector, store_.put_model(*publisher_->served(record.model, model_).whole));
  }
  return store_.commit_round(record);
}

}  // namespace hansa::server::internal
