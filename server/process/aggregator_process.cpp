#include "server/process/aggregator_process.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "common/utc.h"
#include "protocols/enrolment/certificate_folder.h"
#include "server/config/devices_config.h"
#include "server/config/rounds.h"
#include "server/engine/engine.h"
#include "server/engine/thread_executor.h"
#include "server/divergence/run_watch.h"
#include "server/process/admission_folder.h"
#include "server/process/internal/channel_outbox.h"
#include "server/process/internal/device_book.h"
#include "server/process/internal/enrolment_start.h"
#include "server/process/internal/final_report.h"
#include "server/process/internal/process_observer.h"
#include "server/process/internal/round_evaluations.h"
#include "server/process/internal/statistics_phase.h"
#include "server/process/internal/warnings.h"

namespace hansa::server {
namespace {

// Requests the evaluation of rounds that were committed but not evaluated before a crash.
Result<void> catch_up(Run& store, const FederationConfig& config, internal::RoundEvaluations& evaluations) {
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

bool is_kept(Run& store, RoundId round) {
  const auto record = store.round(round);
  return record && *record && (*record)->model_kept;
}

// Fails (data): the run diverges, and [divergence] action is "stop".
tl::unexpected<Error> fail_diverged(const FederationConfig& config, const PreparedRun& run,
                                    const std::string& text, const std::optional<BestRound>& best) {
  std::string hint =
      "lower training.learning_rate and begin a new run with --new, or set divergence.action to \"warn\" to "
      "continue "
      "this one";
  if (best && is_kept(*run.store, best->round))
    hint += fmt::format("; \"{}\" begins one from {}",
                        internal::command_from(config.file.string(), run.run, best->round), text_of(*best));
  return fail(ErrorCode::data, run.store->location(), text + ", and divergence.action is \"stop\"",
              std::move(hint));
}

// Shows what a resumed run has: its last rounds, its last evaluation and its best round.
Result<void> show_past(Run& store, const RunWatch& watch, ProgressDisplay& display) {
  constexpr std::size_t rounds_shown = 12;
  HANSA_TRY(const auto rounds, store.rounds());
  for (std::size_t i = rounds.size() - std::min(rounds.size(), rounds_shown); i < rounds.size(); ++i)
    display.restored(rounds[i]);
  HANSA_TRY(const auto evaluations, store.evaluations());
  for (const auto& [round, metrics] : evaluations) display.restored_evaluation(round, metrics);
  display.set_best(watch.best());
  return {};
}

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

// Different at every call, so that session numbers never repeat.
Result<std::uint64_t> random_seed() {
  std::uint64_t out = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof out) != 1)
    return fail(ErrorCode::internal, "OpenSSL", "gives no random bytes");
  return out;
}

// Without the clients' statistics there is nothing to continue.
void remove_unbegun(PreparedRun& run) {
  const std::filesystem::path folder = run.store->location();
  run.store.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

void say_stopped(const FederationConfig& config) {
  std::puts(
      fmt::format("stopped before the statistics of the clients' data were known; run \"hansa-aggregator "
                  "{}\" to begin again",
                  config.file.string())
          .c_str());
  std::fflush(stdout);
}

RunEnd run_end(const Engine& engine, std::string why) {
  return {engine.last_committed(), rfc3339_text(utc_seconds_now()), std::move(why)};
}

// The run is finished, and nothing else uses its store.
internal::FinalReport make_report(const FederationConfig& config, const PreparedRun& run,
                                  const Engine& engine, const internal::RoundEvaluations& evaluations,
                                  const RunWatch& watch, const ProgressDisplay& display, double seconds) {
  internal::FinalReport out;
  out.config = config.file.string();
  out.run = run.run;
  out.run_folder = run.store->location();
  out.rounds = config.rounds;
  out.last = engine.last_committed();
  out.model = engine.model();
  out.seconds = seconds;
  out.summary = display.summary();
  out.evaluated = evaluations.last();
  out.best = watch.best();
  if (out.best) out.best_is_kept = is_kept(*run.store, out.best->round);
  return out;
}

}  // namespace

Result<void> run_aggregator(const FederationConfig& config, const AggregatorOptions& options,
                            const Logger& log, ServiceManager& manager, const std::atomic<bool>& stop) {
  HANSA_TRY(const auto key, transport::read_secret_key(config.key));
  HANSA_TRY(const DevicesConfig devices_config, read_devices_config(config.file));
  auto admitted = admitted_names(config.admitted);
  if (admitted.empty() && !devices_config.enrolment)
    return fail(ErrorCode::usage, config.admitted.string(), "admits no client: it holds no NAME.pub",
                "make a key with \"hansa keys generate NAME\" and copy NAME.pub there");
  HANSA_TRY(auto run,
            prepare_run(config, *open_catalogue(config.runs), options.run, describe_archive_in_child));
  const Instant started = steady_now();
  RunWatch watch({config.divergence, config.best_metric, config.until, config.evaluation.has_value(),
                  config.client_evaluation.has_value()});
  HANSA_TRY(const auto past_problems, watch.restore(*run.store));
  if (!past_problems.empty() && watch.is_certain() && config.divergence.action == DivergenceAction::stop)
    return fail_diverged(config, run, divergence_text(run.position, past_problems), watch.best());
  std::unique_ptr<BackgroundEvaluator> evaluator;
  // Before the clients are asked for anything, if it needs no statistics.
  const bool is_scaled = config.evaluation && config.evaluation->scale == learning::Scaling::federation;
  if (config.evaluation && !is_scaled) {
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
  display.say(fmt::format("run folder: {}", run.store->location()));
  const std::string beginning = run.resumed
                                    ? fmt::format("run {}: continuing after round {}, because {}", run.run,
                                                  rounds_text(run.position, config.rounds), run.why)
                                    : fmt::format("run {}: new, because {}", run.run, run.why);
  if (options.progress == ProgressStyle::none) log.info(beginning);
  else display.say(beginning);
  HANSA_TRY_VOID(show_past(*run.store, watch, display));
  const internal::Warnings warn(log, display);
  std::unique_ptr<EnrolmentServer> enrolment;
  if (devices_config.enrolment) {
    HANSA_TRY(enrolment, internal::start_enrolment(config, devices_config, key, channel->endpoint(), log));
    display.say("devices join at " + enrolment->endpoint());
    if (!devices_config.enrolment->root_key.empty())
      warn(
          "the root key is on this machine ([enrolment] root_key), and signs every device with a valid "
          "token: for "
          "trials only");
  }
  for (const std::string& note : run.notes) warn(note);

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
      if (!found.warning.empty()) warn(found.warning);
      std::string& last = reported[client];
      const std::string reason = found.certificate ? "" : found.certificate.error().text();
      if (reason != last) {
        if (reason.empty()) log.info(client + " has a certificate now");
        else warn(client + " cannot take part: " + reason);
      }
      last = reason;
      if (found.certificate) return std::move(*found.certificate);
      return std::nullopt;
    };
  }
  HANSA_TRY(engine_config.coordinator.process.session_seed, random_seed());
  engine_config.archive = run.archive;
  engine_config.wall_clock = [] { return rfc3339_text(utc_seconds_now()); };
  engine_config.coordinator.process.is_first_start = !run.resumed;
  engine_config.coordinator.process.time_of_day = utc_seconds_now;
  manager.ready();
  if (run.unbegun) {
    display.say(
        fmt::format("first, the statistics of {} columns of the clients' data", config.statistics->columns));
    const internal::StatisticsParts parts{*channel,
                                          admission,
                                          admitted,
                                          certificates ? &*certificates : nullptr,
                                          display,
                                          manager,
                                          [&](Log::Level level, const std::string& text) {
                                            if (level == Log::Level::info) log.info(text);
                                            else warn(text);
                                          },
                                          [&](const Error& error) { warn(error.text()); }};
    auto statistics = internal::gather_statistics(config, run, engine_config, parts, stop);
    if (!statistics || !*statistics) {
      display.end();
      remove_unbegun(run);
      if (!statistics) return tl::unexpected<Error>(std::move(statistics).error());
      say_stopped(config);
      return {};
    }
    HANSA_TRY_VOID(begin(run, config, **statistics));
    HANSA_TRY(engine_config.coordinator.process.session_seed, random_seed());
  }
  engine_config.coordinator.settings.admitted = admitted;
  engine_config.optimizer = run.optimizer;
  engine_config.initial_state = run.initial_state;
  if (!run.statistics.empty())
    engine_config.constants.push_back(
        {std::string(statistics_input), std::make_shared<const std::vector<float>>(run.statistics)});
  if (is_scaled) {
    HANSA_TRY(evaluator,
              BackgroundEvaluator::start(run.archive, *config.evaluation, config.evaluation_threads,
                                         config.personal, run.statistics));
  }
  WorkerPool workers(0);
  SpoolPool spools(run.store->scratch_folder(), config.limits.spool_memory_mib << 20);
  internal::ChannelOutbox outbox(*channel);
  ThreadExecutor executor([&channel] { channel->wake(); });
  internal::RoundEvaluations evaluations(std::move(evaluator), *run.store, executor,
                                         {[&](RoundId round, const Metrics& metrics) {
                                            watch.on_evaluated(round, metrics);
                                            display.evaluated(round, metrics, watch.best());
                                          },
                                          [&](const std::string& text) {
                                            log.error(text);
                                            display.warn(text);
                                          },
                                          [&](const std::string& text) { log.debug(text); }});
  auto devices = DeviceRegister::open(devices_config.device_register);
  if (!devices) log.info("there is no register of devices: " + devices.error().text());
  internal::DeviceBook book(devices ? std::optional(std::move(*devices)) : std::nullopt, config.admitted,
                            executor, [&](const std::string& text) { warn(text); });
  book.match_folder();
  internal::ProcessObserver observer(config, run.run, log, warn, display, evaluations, watch,
                                     book.activity());
  HANSA_TRY(const auto engine,
            Engine::create(std::move(engine_config),
                           {*run.store, outbox, workers, spools, observer, executor}, steady_now()));
  HANSA_TRY_VOID(catch_up(*run.store, config, evaluations));

  transport::ServerChannel::Handlers handlers;
  handlers.on_message = [&](const transport::Incoming& in) {
    book.activity().on_message(in.client, in.message, utc_seconds_now());
    engine->receive(in.peer, in.client, in.message, in.bulk, steady_now());
  };
  handlers.on_refused = [&](const Error& error) { warn(error.text()); };
  Instant next_display = steady_now();
  bool stop_is_sent = false, enough_is_sent = false, end_is_recorded = false;
  // A run that ended early was not known to be in its last round when that was committed.
  const auto evaluate_last = [&] {
    if (enough_is_sent && engine->last_committed().value % std::max(config.evaluation_every, 1U) != 0)
      evaluations.ask(engine->last_committed(), engine->model());
  };
  while (!engine->finished() && !engine->failure()) {
    manager.alive(steady_now());
    if ((stop || observer.stop_reason()) && !stop_is_sent) {
      stop_is_sent = true;
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
      if (std::string enough = watch.reached(utc_seconds_now()); !enough_is_sent && !enough.empty()) {
        enough_is_sent = true;
        display.say("no further round is needed: " + enough);
        engine->conclude(std::move(enough), after);
        if (engine->finished()) continue;
      }
      if (auto change = admission.take_change()) {
        admitted = change->admitted;
        book.match_folder();
        engine->change_admission(std::move(change->admitted), std::move(change->removed), after);
      } else if (certificates && certificates->is_due(utc_seconds_now())) {
        engine->change_admission(admitted, {}, after);  // reads the certificates again
      }
      // With after_last_round = "stay" the aggregator runs on.
      if (const Progress now_at = engine->progress(after);
          now_at.all_rounds_done && now_at.phase == Phase::gathering && !end_is_recorded) {
        end_is_recorded = true;
        evaluate_last();
        const auto recorded = std::make_shared<Result<void>>();
        executor.run([&run, recorded,
                      end = run_end(*engine, now_at.why_done)] { *recorded = run.store->record_end(end); },
                     [&warn, recorded] {
                       if (!*recorded) warn(recorded->error().text());
                     });
      }
      book.write_due(after);
      const Progress progress = engine->progress(after);
      if (manager.is_present()) manager.status(status_text(progress));
      display.update(progress, evaluations.outstanding(), engine->bytes_up(), engine->bytes_down(), after);
      next_display = after + std::chrono::milliseconds(200);
    }
  }
  if (!end_is_recorded) evaluate_last();
  // Final messages are sent, clients fetch the last model, and the last evaluation is awaited, unless a stop was
  // requested.
  while (!stop && (evaluations.outstanding() > 0 || engine->is_awaiting_clients(steady_now()))) {
    const Instant now = steady_now();
    manager.alive(now);
    display.update(engine->progress(now), evaluations.outstanding(), engine->bytes_up(), engine->bytes_down(),
                   now);
    channel->poll(std::chrono::milliseconds(100), handlers, evaluations.descriptor(), 64);
    executor.deliver();
    evaluations.collect();
  }
  display.end();
  executor.wait();  // for an evaluation that a stop interrupted
  book.finish();
  if (const auto& finish = engine->finished(); finish && finish->why == Finish::Why::all_rounds)
    HANSA_TRY_VOID(run.store->record_end(run_end(*engine, finish->text)));
  for (const std::string& line : lines_of(
           make_report(config, run, *engine, evaluations, watch, display, seconds(steady_now() - started))))
    std::puts(line.c_str());
  std::fflush(stdout);
  if (engine->failure()) return tl::unexpected<Error>(*engine->failure());
  const Finish& finish = *engine->finished();
  if (finish.why == Finish::Why::gave_up)
    return fail(ErrorCode::quorum, run.store->location(), finish.text,
                fmt::format("{}, and run \"hansa-aggregator {}\" again: it continues after round {}",
                            finish.hint.empty() ? "see the warnings above" : finish.hint,
                            config.file.string(), engine->last_committed().value));
  if (finish.why == Finish::Why::stopped && !observer.stop_reason())
    std::puts(fmt::format("stopped after round {}; run \"hansa-aggregator {}\" to continue",
                          rounds_text(engine->last_committed(), config.rounds), config.file.string())
                  .c_str());
  if (observer.stop_reason()) return fail_diverged(config, run, *observer.stop_reason(), watch.best());
  return {};
}

}  // namespace hansa::server
