#include "server/process/internal/rounds_phase.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/utc.h"
#include "server/config/rounds.h"
#include "server/process/internal/final_report.h"
#include "server/process/internal/run_errors.h"

namespace hansa::server::internal {
namespace {

// For the service manager: what the panel shows, in one line.
std::string status_text(const Progress& progress) {
  const std::string round = "round " + rounds_text(progress.round, progress.rounds);
  switch (progress.phase) {
    case Phase::gathering:
      if (progress.all_rounds_done) return progress.why_done;
      return fmt::format("{}: waits for clients, {} of {} ready, {} connected", round, progress.ready,
                         progress.needed, progress.connected);
    case Phase::in_round: return fmt::format("{}: {} clients train", round, progress.members.size());
    case Phase::unmasking: return round + ": unmasks the sum";
    case Phase::committing: return round + ": is committed";
    case Phase::finished: return "finished";
  }
  return "";
}

RunEnd run_end(const Engine& engine, std::string why) {
  return {engine.last_committed(), rfc3339_text(utc_seconds_now()), std::move(why)};
}

RoundEvaluations::Reports reports_of(RunWatch& watch, Host& host, OutputWriter* output) {
  return {[&, output](RoundId round, const Metrics& metrics) {
            if (output != nullptr) output->evaluated(round);
            watch.on_evaluated(round, metrics);
            host.display().evaluated(round, metrics, watch.best());
            host.log().note(fmt::format("round {} evaluated: {}", round.value, means_text(metrics)),
                            {.event = LogEvent::round_evaluated, .round = round});
            if (Monitor* const monitor = host.monitor()) monitor->on_evaluated(round, metrics);
          },
          [&](RoundId round, const std::string& text) {
            host.warn().error(text, {.event = LogEvent::evaluation_failed, .round = round});
          },
          [&](RoundId round, const std::string& text) {
            host.log().debug(text, {.event = LogEvent::evaluation_failed, .round = round});
          },
          [&](const std::string& text) { host.warn()(text); }};
}

}  // namespace

RoundsPhase::RoundsPhase(const Parts& parts, const DeviceBook::Files& files,
                         std::unique_ptr<BackgroundEvaluator> evaluator)
    : parts_(parts),
      workers_(0),
      spools_(parts.run.store->scratch_folder(), parts.config.limits.spool_memory_mib << 20),
      outbox_(parts.host.channel()),
      executor_([&channel = parts.host.channel()] { channel.wake(); }),
      evaluations_(std::move(evaluator), *parts.run.store, executor_,
                   reports_of(parts.watch, parts.host, parts.output)),
      book_(files, parts.run.run, parts.config.admitted, executor_,
            [&host = parts.host](const std::string& text) { host.warn_of_register(text); }),
      faults_(files.history, executor_,
              [&host = parts.host](const std::string& text) { host.warn_of_register(text); }),
      witness_(parts.host.open_register(), executor_, parts.host.log()),
      observer_(parts.config, parts.run.run, parts.host.log(), parts.host.warn(), parts.host.display(),
                evaluations_, parts.watch, book_, parts.host.monitor()),
      key_switch_(parts.aggregator_key) {}

Result<std::unique_ptr<RoundsPhase>> RoundsPhase::create(const Parts& parts, EngineConfig engine,
                                                         std::unique_ptr<BackgroundEvaluator> evaluator) {
  auto out =
      std::unique_ptr<RoundsPhase>(new RoundsPhase(parts, parts.host.open_book(), std::move(evaluator)));
  out->book_.match_folder();
  engine.coordinator.process.faults = out->kept_faults();
  const std::uint64_t model_values = engine.coordinator.model.elements;
  HANSA_TRY(out->engine_, Engine::create(std::move(engine),
                                         {*parts.run.store, out->outbox_, out->workers_, out->spools_,
                                          out->observer_, out->executor_},
                                         steady_now()));
  EngineLoop::Late late;
  if (Monitor* const monitor = parts.host.monitor())
    late = [monitor](Duration lateness) { monitor->on_lag(lateness); };
  out->loop_ = std::make_unique<EngineLoop>(
      parts.host, *out->engine_, out->executor_,
      [&book = out->book_](const auto& in) {
        book.on_message(in.client, in.message, in.bulk.size(), steady_now());
      },
      std::move(late));
  HANSA_TRY_VOID(out->begin_monitor(model_values));
  HANSA_TRY_VOID(out->catch_up());
  return out;
}

// A resumed run has rounds already, whose values are the newest that there are.
Result<void> RoundsPhase::begin_monitor(std::uint64_t model_values) {
  Monitor* const monitor = parts_.host.monitor();
  if (monitor == nullptr) return {};
  monitor->begin_run({parts_.run.run, parts_.config.rounds, model_values});
  HANSA_TRY(const auto rounds, parts_.run.store->rounds());
  constexpr std::size_t rounds_restored = 100;
  for (std::size_t i = rounds.size() - std::min(rounds.size(), rounds_restored); i < rounds.size(); ++i)
    monitor->on_restored(rounds[i]);
  HANSA_TRY(const auto evaluations, parts_.run.store->evaluations());
  for (const auto& [round, metrics] : evaluations) monitor->on_restored_evaluation(round, metrics);
  return {};
}

void RoundsPhase::take_commands() {
  Dashboard* const dashboard = parts_.host.dashboard();
  if (dashboard == nullptr || !dashboard->commands().take().stop_after_round || stop_asked_after_) return;
  stop_asked_after_ = engine_->last_committed();
  parts_.host.display().say("the operator asks to stop after the current round");
}

bool RoundsPhase::is_round_of_stop_over() const {
  return stop_asked_after_ &&
         (engine_->phase() == Phase::gathering || engine_->last_committed() != *stop_asked_after_);
}

void RoundsPhase::monitor(Instant now) {
  Monitor* const monitor = parts_.host.monitor();
  if (monitor == nullptr) return;
  monitor->on_phase(engine_->phase(), now);
  if (!monitor->is_due(now)) return;
  monitor->update(engine_->progress(now),
                  {engine_->bytes_up(), engine_->bytes_down(), evaluations_.outstanding(),
                   static_cast<std::uint32_t>(parts_.host.admitted().size()), parts_.host.first_expiry()},
                  now);
}

std::vector<FaultRecord> RoundsPhase::kept_faults() {
  std::vector<FaultRecord> out = faults_.read(utc_seconds_now());
  for (const FaultRecord& record : out)
    if (record.rest_left > Duration::zero())
      parts_.host.log().info(
          fmt::format("{} stays left out of cohorts for {:.0f} s, for its faults before this start",
                      record.client, seconds(record.rest_left)),
          {.event = LogEvent::client_left_out, .client = record.client});
  return out;
}

// Requests the evaluation of rounds that were committed but not evaluated before a crash.
Result<void> RoundsPhase::catch_up() {
  HANSA_TRY(const auto rounds, parts_.run.store->rounds());
  HANSA_TRY(const auto evaluated, parts_.run.store->evaluations());
  for (const auto& record : rounds) {
    const bool due = record.round.value % std::max(parts_.config.evaluation_every, 1U) == 0;
    const bool done = std::any_of(evaluated.begin(), evaluated.end(),
                                  [&](const auto& e) { return e.first == record.round; });
    if (due && !done && record.model_kept) evaluations_.ask(record.round, record.model);
  }
  return {};
}

Result<PhaseEnd> RoundsPhase::run(const std::atomic<bool>& stop, Instant started) {
  serve(stop);
  monitor(steady_now());
  if (switches_key_ && !stop && !stop_asked_after_ && !engine_->failure() &&
      engine_->finished()->why == Finish::Why::stopped) {
    parts_.host.display().end();
    executor_.wait();
    finish_output();
    book_.finish();
    faults_.finish(engine_->faults(steady_now()), utc_seconds_now());
    witness_.finish();
    return PhaseEnd::next_key;
  }
  if (!end_is_recorded_) evaluate_last();
  drain(stop);
  parts_.host.display().end();
  executor_.wait();  // for an evaluation that a stop interrupted
  finish_output();
  book_.finish();
  faults_.finish(engine_->faults(steady_now()), utc_seconds_now());
  witness_.finish();
  if (const auto& finish = engine_->finished(); finish && finish->why == Finish::Why::all_rounds)
    HANSA_TRY_VOID(parts_.run.store->record_end(run_end(*engine_, finish->text)));
  print_report(started);
  if (!end_is_recorded_)
    log_end(engine_->failure()        ? engine_->failure()->text()
            : observer_.stop_reason() ? *observer_.stop_reason()
                                      : engine_->finished()->text);
  HANSA_TRY_VOID(outcome());
  return PhaseEnd::over;
}

void RoundsPhase::serve(const std::atomic<bool>& stop) {
  bool stop_is_sent = false;
  while (!engine_->finished() && !engine_->failure()) {
    if ((stop || observer_.stop_reason() || switches_key_ || is_round_of_stop_over()) && !stop_is_sent) {
      stop_is_sent = true;
      engine_->stop(steady_now());
      continue;
    }
    loop_->turn(evaluations_.descriptor());
    evaluations_.collect();
    const Instant now = steady_now();
    if (loop_->is_display_due(now)) update(now);
    monitor(now);
  }
}

void RoundsPhase::update(Instant now) {
  take_commands();
  if (std::string enough = parts_.watch.reached(utc_seconds_now()); !is_concluded_ && !enough.empty()) {
    is_concluded_ = true;
    parts_.host.display().say("no further round is needed: " + enough);
    engine_->conclude(std::move(enough), now);
    if (engine_->finished()) return;
  }
  if (parts_.host.follow_admission(*engine_, now)) book_.match_folder();
  const Progress progress = engine_->progress(now);
  // With after_last_round = "stay" the aggregator runs on.
  if (progress.all_rounds_done && progress.phase == Phase::gathering && !end_is_recorded_)
    record_end_of_rounds(progress);
  book_.write_due(now);
  faults_.exchange(engine_->faults(now), now, utc_seconds_now(), [this](std::vector<std::string> clients) {
    engine_->forgive(std::move(clients), steady_now());
  });
  witness_.look_due(now);
  update_output();
  if (!switches_key_ && key_switch_.is_time(progress.phase, engine_->last_committed(), now)) {
    switches_key_ = true;
    const std::string text = "the aggregator begins to use its next key";
    parts_.host.display().say(text);
    parts_.host.log().note(text, {.event = LogEvent::keys_changed});
  }
  if (auto& manager = parts_.host.manager(); manager.is_present()) manager.status(status_text(progress));
  show(now);
}

void RoundsPhase::record_end_of_rounds(const Progress& progress) {
  end_is_recorded_ = true;
  log_end(progress.why_done);
  evaluate_last();
  const auto recorded = std::make_shared<Result<void>>();
  executor_.run([&store = *parts_.run.store, recorded,
                 end = run_end(*engine_, progress.why_done)] { *recorded = store.record_end(end); },
                [&host = parts_.host, recorded] {
                  if (!*recorded) host.warn()(recorded->error().text());
                });
}

// A run that ended early was not known to be in its last round when that was committed.
void RoundsPhase::evaluate_last() {
  if (is_concluded_ && engine_->last_committed().value % std::max(parts_.config.evaluation_every, 1U) != 0)
    evaluations_.ask(engine_->last_committed(), engine_->model());
}

// Final messages are sent, clients fetch the last model, and the last evaluation is awaited, unless a stop was requested.
void RoundsPhase::drain(const std::atomic<bool>& stop) {
  while (!stop && (evaluations_.outstanding() > 0 || engine_->is_awaiting_clients(steady_now()))) {
    show(steady_now());
    monitor(steady_now());
    loop_->turn(evaluations_.descriptor());
    evaluations_.collect();
    const Instant now = steady_now();
    if (loop_->is_display_due(now) && parts_.host.follow_admission(*engine_, now)) book_.match_folder();
  }
}

void RoundsPhase::show(Instant now) {
  parts_.host.display().update(engine_->progress(now), evaluations_.outstanding(), engine_->bytes_up(),
                               engine_->bytes_down(), now);
}

void RoundsPhase::update_output() {
  if (parts_.output == nullptr) return;
  parts_.output->committed(engine_->last_committed());
  if (const auto problem = parts_.output->take_problem())
    parts_.host.warn()("TensorBoard's event file is incomplete until it can be written: " + *problem);
}

void RoundsPhase::finish_output() {
  if (parts_.output == nullptr) return;
  parts_.output->committed(engine_->last_committed());
  parts_.output->finish();
  update_output();
}

void RoundsPhase::print_report(Instant started) const {
  FinalReport report;
  report.config = parts_.config.file.string();
  report.run = parts_.run.run;
  report.run_folder = parts_.run.store->location();
  report.rounds = parts_.config.rounds;
  report.last = engine_->last_committed();
  report.model = engine_->model();
  report.seconds = seconds(steady_now() - started);
  report.summary = parts_.host.display().summary();
  report.evaluated = evaluations_.last();
  report.best = parts_.watch.best();
  if (report.best) report.best_is_kept = has_model(*parts_.run.store, report.best->round);
  for (const std::string& line : lines_of(report)) std::puts(line.c_str());
  std::fflush(stdout);
}

void RoundsPhase::log_end(const std::string& why) const {
  parts_.host.log().note(fmt::format("the run ends after round {}: {}",
                                     rounds_text(engine_->last_committed(), parts_.config.rounds), why),
                         {.event = LogEvent::run_ended, .round = engine_->last_committed()});
}

Result<void> RoundsPhase::outcome() const {
  if (engine_->failure()) return tl::unexpected<Error>(*engine_->failure());
  const Finish& finish = *engine_->finished();
  const std::string config = parts_.config.file.string();
  if (finish.why == Finish::Why::gave_up)
    return fail(ErrorCode::quorum, parts_.run.store->location(), finish.text,
                fmt::format("{}, and run \"hansa-aggregator {}\" again: it continues after round {}",
                            finish.hint.empty() ? "see the warnings above" : finish.hint, config,
                            engine_->last_committed().value));
  if (observer_.stop_reason())
    return fail_diverged(parts_.config, parts_.run, *observer_.stop_reason(), parts_.watch.best());
  if (finish.why == Finish::Why::stopped)
    std::puts(fmt::format("stopped after round {}; run \"hansa-aggregator {}\" to continue",
                          rounds_text(engine_->last_committed(), parts_.config.rounds), config)
                  .c_str());
  return {};
}

}  // namespace hansa::server::internal
