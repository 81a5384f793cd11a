#include "client/engine/engine.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "client/ledger/memory_ledger.h"
#include "common/column_statistics.h"
#include "common/held_out_metrics.h"
#include "common/metrics_text.h"
#include "common/personal_model.h"
#include "common/vector_digest.h"
#include "protocols/messages/codec.h"

namespace hansa::client {
namespace {

// The ledger's scope for the vectors that trainings on this archive keep.
std::string training_scope(const Digest& archive) { return "training/" + archive.hex(); }

}  // namespace

Engine::Engine(EngineConfig config, Link& link, TrainingRunner& runner, ArchiveStore& archives, Instant now)
    : config_(std::move(config)),
      link_(link),
      runner_(runner),
      archives_(archives),
      agent_(config_.agent, now),
      inputs_(archives, config_.log),
      now_(now) {
  if (!config_.ledger) config_.ledger = std::make_shared<MemoryLedger>();
  if (!config_.opened_sums) config_.opened_sums = std::make_shared<MemoryOpenedSums>();
}

messages::DataReport data_report(const Result<learning::AvailableData>& data, const ReportPolicy& policy) {
  messages::DataReport out;
  if (data) {
    out.examples = data->examples;
    out.new_examples = data->new_examples;
    if (data->problem) out.problem = report_of(*data->problem, policy);
  } else {
    out.problem = report_of(data.error(), policy);
  }
  return out;
}

std::optional<DataDescription> description_of(const Result<learning::AvailableData>& data) {
  return data ? data->description : std::nullopt;
}

void Engine::data_known(const messages::DataReport& data, const std::optional<DataDescription>& description,
                        Instant now) {
  now_ = now;
  apply(DataKnown{data, description});
}

void Engine::link_up(Instant now) {
  now_ = now;
  apply(LinkUp{});
}

void Engine::link_down(const Error& error, Instant now) {
  now_ = now;
  apply(LinkDown{error});
}

void Engine::receive(std::span<const std::byte> message, std::span<const std::byte> bulk, Instant now) {
  now_ = now;
  const auto decoded = messages::decode_to_client(message);
  if (!decoded) {
    apply(ReceivedMalformed{decoded.error()});
    return;
  }
  // Messages that only a client sends are ignored.
  const auto* envelope = std::get_if<messages::Envelope<messages::ToClient>>(&*decoded);
  if (envelope == nullptr) return;
  bulk_ = bulk;
  apply(Received{envelope->session, envelope->message, bulk, config_.wall_clock()});
  bulk_ = {};
}

void Engine::training_ended(const messages::TrainTask& task, Result<learning::TrainingResult> result,
                            Instant now) {
  now_ = now;
  apply(TrainingEnded{task.task, make_offer(task, std::move(result))});
}

void Engine::tick(Instant now) {
  now_ = now;
  apply(TickEvent{});
}

void Engine::stop(Instant now) {
  now_ = now;
  apply(StopAsked{});
}

struct Engine::CarryOut {
  Engine& engine;
  void operator()(const OpenLink& e) const { engine.link_.open(e.attempt); }
  void operator()(const CloseLink&) const { engine.link_.close(); }
  void operator()(const Send& e) const { engine.link_.send(messages::encode(e.session, e.message), {}); }
  void operator()(const SendUpdateRange& e) const { engine.send_update(e); }
  void operator()(const FindArchive& e) const { engine.find_archive(e); }
  void operator()(const KeepChunk& e) const { engine.inputs_.keep(e, engine.bulk_); }
  void operator()(const VerifyBlob& e) const { engine.feed(BlobChecked{e.blob, engine.inputs_.verify(e)}); }
  void operator()(const StartTraining& e) const { engine.start_training(*e.task); }
  void operator()(const StopTraining&) const { engine.runner_.stop(); }
  void operator()(const MaskUpdate& e) const { engine.mask_update(e); }
  void operator()(const RememberOpening& e) const {
    engine.feed(OpeningRemembered{e.task, e.setup, engine.config_.opened_sums->add(e.sum)});
  }
  void operator()(const KeepCounted& e) const { engine.keep_counted(e.task); }
  void operator()(const KeepLastModel& e) const { engine.keep_last_model(e); }
  void operator()(const ServeLastModel& e) const { engine.serve_last_model(e); }
  void operator()(const Log& e) const {
    if (engine.config_.log) engine.config_.log(e);
  }
  void operator()(const Exit& e) const { engine.exited_ = e; }
};

void Engine::apply(const Event& event) {
  feed(event);
  pump_.run(
      [this](Effect& effect) {
        if (config_.before_effect) config_.before_effect(effect);
        std::visit(CarryOut{*this}, std::as_const(effect));
      },
      [] { return false; });
}

void Engine::feed(const Event& event) {
  pump_.feed([&](std::vector<Effect>& effects) { agent_.apply(event, now_, effects); });
}

void Engine::log_if_failed(const Result<void>& done) {
  if (!done && config_.log) config_.log({Log::Level::error, done.error().text()});
}

void Engine::send_update(const SendUpdateRange& range) {
  if (outgoing_.task != range.task || outgoing_.masked != range.masked) return;
  transport::Bulk bulk = outgoing_.bulk;
  if (range.offset + range.bytes > bulk.bytes.size()) return;
  bulk.bytes = bulk.bytes.subspan(range.offset, range.bytes);
  link_.send(messages::encode(range.session, messages::UpdateChunk{range.task, range.offset}), bulk);
}

// The agent looks for the archive when another task begins, so that the previous update is no longer needed.
void Engine::find_archive(const FindArchive& find) {
  outgoing_ = {};
  staged_.reset();
  feed(ArchiveLookedUp{
      archives_.has(find.archive) ? round::ArchiveCache::present : round::ArchiveCache::absent,
      inputs_.held()});
}

void Engine::start_training(const messages::TrainTask& task) {
  outgoing_ = {};
  staged_.reset();
  if (auto valid = inputs_.check_values(task); !valid) {
    feed(TrainingEnded{task.task, tl::unexpected<Error>(std::move(valid).error())});
    return;
  }
  trained_on_.reset();
  if (task.secure) trained_on_ = {*messages::model_of(task).values, messages::digest_of_work(task)};
  auto kept = config_.ledger->find(task.task, training_scope(task.archive));
  if (!kept) {
    feed(TrainingEnded{task.task, tl::unexpected<Error>(std::move(kept).error())});
    return;
  }
  learning::TrainingRequest request;
  request.archive = archives_.path(task.archive);
  request.layout = task.layout;
  request.method = task.method;
  request.inputs = inputs_.for_training(task);
  request.seed = task.seed;
  request.magnitude_max = task.magnitude_max;
  request.task = task.task;
  request.kept = *std::move(kept);
  request.hold_out = task.hold_out;
  request.hold_out_key = config_.hold_out_key;
  request.own_metrics = approved_metrics(task, config_.agent.federation, config_.agent.models);
  const std::shared_ptr<TaskVectors>& vectors = inputs_.vectors();
  vectors->update.resize(messages::update_values(task));
  std::optional<ModelToServe> served;
  if (config_.serve == Serve::each_model && task.method.name != statistics_method)
    served = model_to_serve(task, request, request.inputs.front().values, vectors);
  runner_.start(task, std::move(request), vectors);
  if (!served) return;
  served->round = RoundId(task.round.value - std::min(task.round.value, 1U));
  served->trained = task.task;
  runner_.serve(std::move(*served));
}

ModelToServe Engine::model_to_serve(const messages::TrainTask& task, learning::TrainingRequest request,
                                    std::span<const float> values, std::shared_ptr<const void> owner) const {
  ModelToServe out;
  out.run = agent_.run();
  out.personal = personal_model_of(task.method);
  const auto& inputs = inputs_.vectors()->inputs;
  if (const auto found = std::ranges::find(inputs, statistics_input, &TaskVectors::Input::name);
      found != inputs.end())
    if (auto statistics = statistics_of_vector(found->values)) out.statistics = *std::move(statistics);
  out.request = std::move(request);
  out.request.inputs = {{std::string(model_input), values}};
  out.owner = std::move(owner);
  return out;
}

void Engine::keep_last_model(const KeepLastModel& keep) {
  if (keep.offset == 0) last_model_ = std::make_shared<std::vector<float>>(keep.bytes_total / sizeof(float));
  const auto room = std::as_writable_bytes(std::span(*last_model_));
  if (keep.offset <= room.size() && bulk_.size() <= room.size() - keep.offset)
    std::ranges::copy(bulk_, room.begin() + static_cast<std::ptrdiff_t>(keep.offset));
}

void Engine::serve_last_model(const ServeLastModel& serve) {
  const auto model = std::exchange(last_model_, nullptr);
  const messages::TrainTask& task = *serve.task;
  if (vector_digest(*model) != serve.model)
    return log_if_failed(fail(ErrorCode::protocol, "the last model", "arrived with other values"));
  // The task is the last one that was counted, if it was: the vectors from after it are wanted.
  auto kept = config_.ledger->find(TaskId{}, training_scope(task.archive));
  if (!kept) return log_if_failed(tl::unexpected<Error>(std::move(kept).error()));
  learning::TrainingRequest request;
  request.archive = archives_.path(task.archive);
  request.layout = task.layout;
  request.method = task.method;
  request.kept = *std::move(kept);
  ModelToServe served = model_to_serve(task, std::move(request), *model, model);
  served.round = serve.round;
  runner_.serve(std::move(served));
}

Result<messages::Offer> Engine::make_offer(const messages::TrainTask& task,
                                           Result<learning::TrainingResult> result) {
  if (!result) return tl::unexpected<Error>(std::move(result).error());
  staged_ = StagedChanges{task.task, task.seed, result->data_mark, {}};
  is_stored_ = false;
  for (auto& [name, vector] : result->kept)
    staged_->vectors.emplace(training_scope(task.archive) + "/" + name, std::move(vector));
  HANSA_TRY_VOID(prepare(*form_of(task)));
  if (!task.secure) stage();
  messages::Offer offer;
  offer.task = task.task;
  offer.update = outgoing_.check;
  offer.bytes = outgoing_.bulk.bytes.size();
  offer.examples = result->examples;
  offer.train_seconds = result->train_seconds;
  const MethodDescription* method = find_method(config_.agent.methods, task.method.name);
  // In a secure sum every client has this metric, rounded as in its DataReport: a single client with new examples is
  // not recognised, and shows no more of them.
  if (task.secure)
    offer.metrics.push_back(
        {std::string(new_examples_metric), static_cast<double>(visible_count(result->new_examples)), 1});
  else if (config_.data && result->new_examples > 0)
    offer.metrics.push_back({std::string(new_examples_metric), static_cast<double>(result->new_examples), 1});
  std::vector<std::string> measured;
  if (method != nullptr && task.hold_out && task.hold_out->measure == Measure::yes)
    measured = held_out_metric_names(personal_model_of(task.method),
                                     approved_metrics(task, config_.agent.federation, config_.agent.models));
  // Each name once, whatever a trainer that a model has taken over returns.
  for (Metric& metric : result->metrics) {
    if (offer.metrics.size() == messages::metrics_max) break;
    const bool is_of_method =
        method != nullptr && std::ranges::find(method->metrics, metric.name) != method->metrics.end();
    const bool is_measured =
        std::ranges::find(measured, metric.name) != measured.end() && is_possible(metric);
    if ((is_of_method || is_measured) &&
        std::ranges::find(offer.metrics, metric.name, &Metric::name) == offer.metrics.end())
      offer.metrics.push_back(std::move(metric));
  }
  if (task.secure) {
    append_held_out_bins(offer.metrics);
    // A client that holds nothing out, or could not measure, is not recognised by what it lacks.
    for (const std::string& metric : measured) {
      const auto add_missing = [&offer](std::string name) {
        if (std::ranges::find(offer.metrics, name, &Metric::name) == offer.metrics.end())
          offer.metrics.push_back({std::move(name), 0, 0});
      };
      add_missing(metric);
      for (std::size_t bin = 0; bin < held_out_bins(metric); ++bin)
        add_missing(held_out_bin_name(metric, bin));
    }
  }
  return offer;
}

Result<void> Engine::prepare(UpdateForm& form) {
  outgoing_ = {};  // first, so that its memory can be used again
  HANSA_TRY(outgoing_, form.prepare({inputs_.vectors(), *config_.ledger, *staged_, update_memory_}));
  return {};
}

void Engine::mask_update(const MaskUpdate& mask) {
  assert(staged_ && staged_->task == mask.task);  // the agent asks after the training has ended
  // The agent begins another training if the task names another model or other work (ClientTask::continues). An update
  // in a sum of another model would let the aggregator separate it from the others.
  if (trained_on_ != std::pair(mask.setup.model, mask.setup.work))
    return feed(TrainingEnded{
        mask.task, fail(ErrorCode::refused, "update", "was not trained for the work of this secure sum")});
  if (auto masked = prepare(*form_of(mask)); !masked)
    return feed(TrainingEnded{mask.task, tl::unexpected<Error>(std::move(masked).error())});
  stage();
  feed(UpdateMasked{mask.task, mask.setup.digest(), outgoing_.check, outgoing_.bulk.bytes.size()});
}

// Without room on the disk the update is sent all the same; its changes are tried again when it counts.
void Engine::stage() {
  const auto stored = config_.ledger->stage(*staged_);
  log_if_failed(stored);
  is_stored_ = stored.has_value();
}

void Engine::keep_counted(TaskId task) {
  const bool is_of_this_process = staged_ && staged_->task == task;
  if (is_of_this_process && !is_stored_) stage();
  const auto applied = config_.ledger->apply(task);
  if (!applied) log_if_failed(tl::unexpected<Error>(applied.error()));
  // The aggregator may repeat a Receipt.
  if (!applied || !*applied) return;
  if (!is_of_this_process && config_.log)
    config_.log({Log::Level::info, "the update that was sent before this client was started again is counted",
                 LogEvent::update_counted});
  if (!config_.data) return;
  config_.data->room_again();
  const auto available = config_.data->available();
  feed(DataKnown{data_report(available, config_.agent.reports), description_of(available)});
}

}  // namespace hansa::client
