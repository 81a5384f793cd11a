#include "server/engine/internal/round_committer.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <future>
#include <utility>

#include "common/kernels/fold.h"
#include "common/vector_digest.h"
#include "server/aggregation/measured_mean.h"
#include "server/optimizers/fed_avg.h"
#include "server/optimizers/mean_blocks.h"
#include "server/optimizers/to_float.h"

namespace hansa::server::internal {
namespace {

// In the record: "scaffold.control".
std::vector<StateVectors::Vector> vectors_of_method(const CommitterConfig& config) {
  std::vector<StateVectors::Vector> out;
  for (const std::string& vector : config.method_vectors) out.push_back({config.method.name + "." + vector});
  return out;
}

std::vector<StateVectors::Vector> vectors_of(const ServerMethod& method, const std::string& name) {
  std::vector<StateVectors::Vector> out;
  for (const auto& [vector, initial] : method.states())
    out.push_back({name + "." + std::string(vector), initial});
  return out;
}

std::vector<StateVectors::Vector> vectors_of(const ServerOptimizer& optimizer) {
  std::vector<StateVectors::Vector> out;
  for (const auto& [name, initial] : optimizer.states()) out.push_back({std::string(name), initial});
  return out;
}

std::vector<StateVectors::Vector> previous_of(const UpdateForm& form) {
  if (!form.needs_previous()) return {};
  return {{"aggregation.previous"}};
}

RoundTotals totals_of(const RoundRecord& record, const SumTotals& sum, const RoundFacts& facts) {
  RoundTotals out;
  out.clients = std::max<std::uint64_t>(facts.clients, 1);
  out.output_scale = facts.output_scale;
  for (const Participation& participation : record.participations) {
    if (participation.outcome != Outcome::counted) continue;
    ++out.updates;
    out.examples += static_cast<double>(participation.examples);
    for (const Metric& metric : participation.metrics) {
      const auto known = std::ranges::find(out.metrics, metric.name, &Metric::name);
      if (known == out.metrics.end()) {
        out.metrics.push_back(metric);
        continue;
      }
      known->sum += metric.sum;
      known->count += metric.count;
    }
  }
  if (!record.secure) return out;
  out.examples = static_cast<double>(sum.examples);
  out.metrics = sum.metrics;
  return out;
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
      method_(make_server_method(config.method, config.optimizer.averaged, workers)),
      optimizer_state_(vectors_of(*optimizer_), config.elements),
      method_state_(vectors_of_method(config), config.elements),
      server_state_(vectors_of(*method_, config.method.name), config.elements),
      previous_(previous_of(form), config.elements * (1 + config.method_vectors.size())),
      method_vectors_(config.method_vectors),
      value_digests_(config.value_digests),
      layer_sizes_(config.layer_sizes),
      workers_(workers),
      publisher_(make_publisher(config.compression, store)),
      model_(std::make_shared<PageVector<float>>(config.elements)) {}

Result<ServedModel> RoundCommitter::restore(const Store::Position& position,
                                            std::span<const StateVector> state, EngineObserver& observer) {
  HANSA_TRY_VOID(store_.get_model(position.model, *model_));
  HANSA_TRY_VOID(optimizer_state_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(method_state_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(server_state_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(previous_.restore(store_, state, position.round, observer));
  HANSA_TRY_VOID(publisher_->restore(position, model_, observer));
  digest_ = position.model;
  return served();
}

ServedModel RoundCommitter::served() {
  ServedModel out = publisher_->served(digest_, model_);
  out.exact = model_;
  out.exact_name = digest_;
  out.vectors = method_state_.share();
  for (std::size_t i = 0; i < out.vectors.size(); ++i) {
    const Digest blob = messages::name_of_input(method_vectors_[i], method_state_.digests()[i]);
    out.names.vectors.push_back(
        {blob, checksum(std::span<const float>(*out.vectors[i])), method_state_.digests()[i]});
  }
  if (value_digests_ == ValueDigests::computed)
    out.names.values = out.whole == model_ ? digest_ : vector_digest(*out.whole, workers_.threads());
  return out;
}

Model RoundCommitter::next_model() const {
  return model_.use_count() == 1 ? model_ : std::make_shared<PageVector<float>>(model_->size());
}

void RoundCommitter::step(const Mean& mean, const RoundTotals& totals, RoundRecord& record) {
  const std::size_t elements = model_->size();
  assert(mean.elements() == elements * (1 + method_state_.size()));
  const Model next = next_model();
  const PartOfMean delta(mean, 0, elements);
  const auto corrected = method_->correct(delta, totals, server_state_.spans());
  const MeasuredMean measured(*corrected, layer_sizes_);
  optimizer_->step(*model_, measured, optimizer_state_.spans(), *next);
  model_ = next;
  method_state_.detach();
  for (std::size_t i = 0; i < method_state_.size(); ++i) {
    const std::span<float> vector = method_state_.spans()[i];
    FedAvg(workers_, method_->vector_factor(totals))
        .step(vector, PartOfMean(mean, (1 + i) * elements, elements), {}, vector);
  }
  record.update_norm = measured.norm();
  if (!layer_sizes_.empty()) record.layer_norms = measured.layer_norms();
}

void RoundCommitter::keep_aggregate(const Mean& mean) {
  if (previous_.size() == 0) return;
  const std::span<float> kept = previous_.spans()[0];
  for_mean_blocks(workers_, mean, [&](std::size_t first, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) kept[first + i] = to_float(values[i]);
  });
}

CommitOutcome RoundCommitter::commit(RoundRecord record, const std::optional<SumOpening>& opening,
                                     const RoundFacts& facts) {
  if (previous_.size() != 0) form_.set_previous(previous_.spans()[0]);
  {
    auto aggregate = form_.finish(opening);
    if (!aggregate) {
      if (aggregate.error().code == ErrorCode::storage) return std::move(aggregate).error();
      return Refused{record.round, aggregate.error().text(), served()};
    }
    step(aggregate->mean, totals_of(record, aggregate->totals, facts), record);
    keep_aggregate(aggregate->mean);
    // The forms bound what clients send, so that only an optimiser's settings can lead to this.
    if (kernels::first_outside(*model_, std::numeric_limits<float>::max()) != model_->size())
      return Error{ErrorCode::data, "server optimiser", "makes a model with values that are not finite",
                   "lower its learning rate; the last round's model is unchanged"};
    if (record.secure) fill_in(*record.secure, std::move(aggregate->totals));
  }
  if (auto stored = store(record); !stored) return std::move(stored).error();
  digest_ = record.model;
  return Committed{std::move(record), served()};
}

Result<void> RoundCommitter::store(RoundRecord& record) {
  Result<Digest> model{Digest{}};
  Result<std::vector<StateVector>> optimizer_state, method_state, server_state, previous;
  Result<std::optional<Published>> published{std::nullopt};
  {
    // Storing the vectors and encoding the delta run concurrently.
    std::future<void> storing;
    const auto store = [&] {
      model = store_.put_model(*model_);
      optimizer_state = optimizer_state_.put(store_);
      method_state = method_state_.put(store_);
      server_state = server_state_.put(store_);
      previous = previous_.put(store_);
    };
    if (model_->size() >= elements_worth_a_thread) storing = std::async(std::launch::async, store);
    else store();
    published = publisher_->publish(record.round, model_, form_.scratch());
    form_.release();
    if (storing.valid()) storing.get();
  }
  HANSA_TRY(record.model, std::move(model));
  HANSA_TRY(record.state, std::move(optimizer_state));
  HANSA_TRY(auto of_method, std::move(method_state));
  std::ranges::move(of_method, std::back_inserter(record.state));
  HANSA_TRY(auto of_server, std::move(server_state));
  std::ranges::move(of_server, std::back_inserter(record.state));
  HANSA_TRY(auto of_previous, std::move(previous));
  std::ranges::move(of_previous, std::back_inserter(record.state));
  HANSA_TRY(record.published, std::move(published));
  if (record.published && store_.wants_published_vector(record.round)) {
    HANSA_TRY(record.published->vector, store_.put_model(*publisher_->served(record.model, model_).whole));
  }
  return store_.commit_round(record);
}

}  // namespace hansa::server::internal
