#include "server/process/aggregator_process.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "common/metrics_text.h"
#include "common/utc.h"
#include "protocols/enrolment/certificate_folder.h"
#include "server/engine/engine.h"
#include "server/engine/thread_executor.h"
#include "server/process/admission_folder.h"
#include "server/setup/utc.h"

namespace hansa::server {
namespace {

class ChannelOutbox final : public Outbox {
 public:
  explicit ChannelOutbox(transport::ServerChannel& channel) : channel_(channel) {}
  transport::Sent send(PeerId peer, std::span<const std::byte> message,
                       const transport::Bulk& bulk) override {
    return channel_.send(peer, message, bulk);
  }
  void disconnect(PeerId peer) override { channel_.disconnect(peer); }
  void disconnect_client(std::string_view client) override { channel_.disconnect_client(client); }

 private:
  transport::ServerChannel& channel_;
};

// Evaluates committed rounds in the background and stores the results. The newest round is evaluated first, so that the
// displayed accuracy is recent even if an evaluation takes longer than a round.
class RoundEvaluations {
 public:
  // The store is called on the executor, between commits.
  RoundEvaluations(std::unique_ptr<BackgroundEvaluator> evaluator, Run& store, Executor& executor,
                   ProgressDisplay& display, const Logger& log)
      : evaluator_(std::move(evaluator)), store_(store), executor_(executor), display_(display), log_(log) {}

  void ask(RoundId round, const Digest& model) {
    if (evaluator_) waiting_.emplace_back(round, model);
    start_next();
  }
  [[nodiscard]] int descriptor() const { return evaluator_ ? evaluator_->descriptor() : -1; }
  [[nodiscard]] std::size_t outstanding() const {
    return evaluator_ ? waiting_.size() + (evaluator_->busy() ? 1 : 0) + opening_ + recording_ : 0;
  }
  [[nodiscard]] const std::optional<std::pair<RoundId, Metrics>>& last() const { return last_; }

  void collect() {
    if (!evaluator_) return;
    auto answer = evaluator_->take();
    if (!answer) return;
    file_ = {};
    if (*answer) {
      record(in_work_, **answer);
    } else {
      log_.error("round " + std::to_string(in_work_.value) +
                 " cannot be evaluated: " + answer->error().text());
    }
    start_next();
  }

 private:
  void record(RoundId round, const Metrics& metrics) {
    ++recording_;
    const auto recorded = std::make_shared<Result<void>>();
    executor_.run([this, round, metrics, recorded] { *recorded = store_.record_evaluation(round, metrics); },
                  [this, round, metrics, recorded] {
                    --recording_;
                    if (!*recorded) log_.error(recorded->error().text());
                    display_.evaluated(round, metrics);
                    if (!last_ || round > last_->first) last_.emplace(round, metrics);
                  });
  }
  void start_next() {
    if (!evaluator_ || evaluator_->busy() || opening_ > 0 || waiting_.empty()) return;
    const auto [round, model] = waiting_.back();
    waiting_.pop_back();
    ++opening_;
    const auto file = std::make_shared<Result<ModelFile>>(ModelFile{});
    executor_.run([this, model, file] { *file = store_.model_file(model); },
                  [this, round, file] {
                    --opening_;
                    start(round, std::move(*file));
                  });
  }
  void start(RoundId round, Result<ModelFile> file) {
    if (!file) {
      // The retention removed it, because later rounds came faster than their evaluations.
      log_.debug(fmt::format("round {} is not evaluated: {}", round.value, file.error().text()));
      return start_next();
    }
    in_work_ = round;
    file_ = std::move(*file);
    evaluator_->request(file_.path);
  }

  std::unique_ptr<BackgroundEvaluator> evaluator_;
  Run& store_;
  Executor& executor_;
  ProgressDisplay& display_;
  const Logger& log_;
  std::vector<std::pair<RoundId, Digest>> waiting_;
  RoundId in_work_;
  ModelFile file_;  // of the current round
  std::size_t opening_ = 0;  // models that the executor has not yet opened
  std::size_t recording_ = 0;  // results that the executor has not yet recorded
  std::optional<std::pair<RoundId, Metrics>> last_;
};

class ProcessObserver final : public EngineObserver {
 public:
  ProcessObserver(const FederationConfig& config, const Logger& log, ProgressDisplay& display,
                  RoundEvaluations& evaluations)
      : config_(config), log_(log), display_(display), evaluations_(evaluations) {}
  void on_log(Log::Level level, const std::string& text) override {
    if (level == Log::Level::info) log_.info(text);
    else log_.warning(text);
  }
  void on_round_started(RoundId round, std::uint32_t cohort) override {
    log_.debug(fmt::format("round {} starts with {} clients", round.value, cohort));
  }
  void on_committed(const RoundRecord& record) override {
    display_.committed(record, config_.rounds);
    if (record.round.value % std::max(config_.evaluation_every, 1U) == 0 ||
        record.round.value == config_.rounds)
      evaluations_.ask(record.round, record.model);
  }

 private:
  const FederationConfig& config_;
  const Logger& log_;
  ProgressDisplay& display_;
  RoundEvaluations& evaluations_;
};

// Requests the evaluation of rounds that were committed but not evaluated before a crash.
Result<void> catch_up(Run& store, const FederationConfig& config, RoundEvaluations& evaluations) {
  HANSA_TRY(const auto rounds, store.rounds());
  HANSA_TRY(const auto evaluated, store.evaluations());
  for (const auto& record : rounds) {
    const bool due = record.round.value % std::max(config.evaluation_every, 1U) == 0;
    const bool done = std::any_of(evaluated.begin(), evaluated.end(),
                                  [&](const auto& e) { return e.first == record.round; });
    if (due && !done && record.model_kept) evaluations.ask(record.round, record.model);
  }
  return {};
}

}  // namespace

Result<void> run_aggregator(const FederationConfig& config, const AggregatorOptions& options,
                            const Logger& log, const std::atomic<bool>& stop) {
  HANSA_TRY(const auto key, transport::read_secret_key(config.key));
  auto admitted = admitted_names(config.admitted);
  if (admitted.empty())
    return fail(ErrorCode::usage, config.admitted.string(), "admits no client: it holds no NAME.pub",
                "make a key with \"hansa keys generate NAME\" and copy NAME.pub there");
  HANSA_TRY(auto run,
            prepare_run(config, *open_catalogue(config.runs), options.run, describe_archive_in_child));
  for (const std::string& note : run.notes) log.warning(note);
  std::unique_ptr<BackgroundEvaluator> evaluator;
  if (config.evaluation) {
    HANSA_TRY(evaluator, BackgroundEvaluator::start(run.archive, *config.evaluation,
                                                    config.evaluation_threads, config.personal));
  }

  AdmissionFolder admission(config.admitted);
  transport::ServerChannelConfig channel_config;
  channel_config.bind = config.bind;
  channel_config.io_threads = options.io_threads;
  channel_config.limits.connections_max = config.limits.connections_max;
  HANSA_TRY(const auto channel, transport::ServerChannel::open(channel_config, key, admission));
  HANSA_TRY(const auto public_key, key.public_key());

  ProgressDisplay display(options.progress,
                          fmt::format("federation {}  {}", config.name, channel->endpoint()));
  display.say(fmt::format("aggregator of federation \"{}\" at {}, public key {}", config.name,
                          channel->endpoint(), public_key.text()));
  display.say(run.resumed ? fmt::format("run folder: {}, continuing after round {} of {}",
                                        run.store->location(), run.position.value, config.rounds)
                          : fmt::format("run folder: {}", run.store->location()));

  EngineConfig engine_config;
  engine_config.run = run.run;
  engine_config.coordinator = run.coordinator;
  engine_config.coordinator.settings.admitted = admitted;
  std::optional<enrolment::CertificateFolder> certificates;
  if (const auto& secure = config.secure_aggregation) {
    certificates.emplace(
        enrolment::CertificateScope{config.admitted, config.name, secure->root, secure->epoch});
    // A device without a certificate comes back again and again: the reason is logged when it changes.
    engine_config.certificate =
        [&, reported = std::map<std::string, std::string>()](
            const std::string& client) mutable -> std::optional<secure_aggregation::Certificate> {
      auto found = certificates->find(client, utc_seconds_now());
      if (!found.warning.empty()) log.warning(found.warning);
      std::string& last = reported[client];
      const std::string reason = found.certificate ? "" : found.certificate.error().text();
      if (reason != last) {
        if (reason.empty()) log.info(client + " has a certificate now");
        else log.warning(client + " cannot take part: " + reason);
      }
      last = reason;
      if (found.certificate) return std::move(*found.certificate);
      return std::nullopt;
    };
  }
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&engine_config.coordinator.process.session_seed),
                 sizeof engine_config.coordinator.process.session_seed) != 1)
    return fail(ErrorCode::internal, "OpenSSL", "gives no random bytes");
  engine_config.optimizer = run.optimizer;
  engine_config.initial_state = run.initial_state;
  engine_config.archive = run.archive;
  engine_config.wall_clock = utc_now;
  WorkerPool workers(0);
  SpoolPool spools(run.store->scratch_folder(), config.limits.spool_memory_mib << 20);
  ChannelOutbox outbox(*channel);
  ThreadExecutor executor([&channel] { channel->wake(); });
  RoundEvaluations evaluations(std::move(evaluator), *run.store, executor, display, log);
  ProcessObserver observer(config, log, display, evaluations);
  HANSA_TRY(const auto engine,
            Engine::create(std::move(engine_config),
                           {*run.store, outbox, workers, spools, observer, executor}, steady_now()));
  HANSA_TRY_VOID(catch_up(*run.store, config, evaluations));

  transport::ServerChannel::Handlers handlers;
  handlers.on_message = [&](const transport::Incoming& in) {
    engine->receive(in.peer, in.client, in.message, in.bulk, steady_now());
  };
  handlers.on_refused = [&](const Error& error) { log.warning(error.text()); };
  Instant next_display = steady_now();
  bool stop_told = false;
  while (!engine->finished() && !engine->failure()) {
    if (stop && !stop_told) {
      stop_told = true;
      engine->stop(steady_now());
      continue;
    }
    const Instant now = steady_now();
    const Duration wait = std::clamp<Duration>(std::min(engine->next_tick(), next_display) - now,
                                               Duration::zero(), std::chrono::milliseconds(500));
    channel->poll(wait, handlers, evaluations.descriptor(), 64);
    executor.deliver();
    evaluations.collect();
    const Instant after = steady_now();
    if (after >= engine->next_tick()) engine->tick(after);
    if (after >= next_display) {
      if (auto change = admission.take_change()) {
        admitted = change->admitted;
        engine->change_admission(std::move(change->admitted), std::move(change->removed), after);
      } else if (certificates && certificates->is_due(utc_seconds_now())) {
        engine->change_admission(admitted, {}, after);  // reads the certificates again
      }
      display.update(engine->progress(after), evaluations.outstanding(), engine->bytes_up(),
                     engine->bytes_down(), after);
      next_display = after + std::chrono::milliseconds(200);
    }
  }
  // Final messages are sent, clients fetch the last model, and the last evaluation is awaited, unless a stop was
  // requested.
  while (!stop && (evaluations.outstanding() > 0 || engine->is_awaiting_clients(steady_now()))) {
    const Instant now = steady_now();
    display.update(engine->progress(now), evaluations.outstanding(), engine->bytes_up(), engine->bytes_down(),
                   now);
    channel->poll(std::chrono::milliseconds(100), handlers, evaluations.descriptor(), 64);
    executor.deliver();
    evaluations.collect();
  }
  display.end();
  if (engine->failure()) return tl::unexpected<Error>(*engine->failure());
  const Finish& finish = *engine->finished();
  if (finish.why == Finish::Why::gave_up)
    return fail(
        ErrorCode::quorum, run.store->location(), finish.text,
        fmt::format(
            "start the missing clients and run \"hansa-aggregator {}\" again: it continues after round {}",
            config.file.string(), engine->last_committed().value));
  if (finish.why == Finish::Why::stopped)
    std::puts(fmt::format("stopped after round {} of {}; run \"hansa-aggregator {}\" to go on",
                          engine->last_committed().value, config.rounds, config.file.string())
                  .c_str());
  if (const auto& last = evaluations.last(); last && last->first == engine->last_committed()) {
    for (const Metric& metric : last->second)
      if (metric.count > 0)
        std::puts(fmt::format("final test {}: {}", metric.name, mean_text(metric)).c_str());
  }
  std::puts(fmt::format("final model: {}", engine->model().text()).c_str());
  std::puts(fmt::format("run folder: {}", run.store->location()).c_str());
  std::fflush(stdout);
  return {};
}

}  // namespace hansa::server
