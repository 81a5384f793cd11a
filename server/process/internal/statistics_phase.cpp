#include "server/process/internal/statistics_phase.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/utc.h"
#include "server/engine/thread_executor.h"
#include "server/process/internal/channel_outbox.h"

namespace hansa::server::internal {
namespace {

class Observer final : public EngineObserver {
 public:
  explicit Observer(const StatisticsParts& parts) : parts_(parts) {}
  void on_log(Log::Level level, const std::string& text) override {
    parts_.log(level, "statistics: " + text);
  }
  void on_round_started(RoundId, std::uint32_t cohort) override {
    parts_.log(Log::Level::info, fmt::format("statistics: {} clients are asked", cohort));
  }
  void on_committed(const RoundRecord& record) override {
    counted = static_cast<std::uint32_t>(
        std::ranges::count(record.participations, Outcome::counted, &Participation::outcome));
  }
  std::uint32_t counted = 0;

 private:
  const StatisticsParts& parts_;
};

}  // namespace

Result<std::optional<ColumnStatistics>> gather_statistics(const FederationConfig& config,
                                                          const PreparedRun& run, EngineConfig engine_config,
                                                          const StatisticsParts& parts,
                                                          const std::atomic<bool>& stop) {
  HANSA_TRY(auto round, prepare_statistics_round(config, run, parts.admitted));
  const ProcessSettings process = engine_config.coordinator.process;
  engine_config.run = run.run;
  engine_config.coordinator = round.coordinator;
  engine_config.coordinator.process = process;
  // A message that all rounds are done would end the clients.
  engine_config.coordinator.settings.after_last_round = AfterLastRound::stay;
  engine_config.optimizer = round.optimizer;
  WorkerPool workers(0);
  SpoolPool spools(run.store->scratch_folder(), config.limits.spool_memory_mib << 20);
  ChannelOutbox outbox(parts.channel);
  ThreadExecutor executor([&] { parts.channel.wake(); });
  Observer observer(parts);
  HANSA_TRY(const auto engine,
            Engine::create(std::move(engine_config),
                           {*round.store, outbox, workers, spools, observer, executor}, steady_now()));
  transport::ServerChannel::Handlers handlers;
  handlers.on_message = [&](const transport::Incoming& in) {
    engine->receive(in.peer, in.client, in.message, in.bulk, steady_now());
  };
  handlers.on_refused = parts.on_refused;
  Instant next_display = steady_now();
  bool is_over = false;
  while (!engine->finished() && !engine->failure()) {
    parts.manager.alive(steady_now());
    if (!is_over && (stop || engine->last_committed().value > 0)) {
      is_over = true;
      engine->stop(steady_now());
      continue;
    }
    const Instant now = steady_now();
    const Duration wait = std::clamp<Duration>(std::min(engine->next_tick(), next_display) - now,
                                               Duration::zero(), std::chrono::milliseconds(500));
    parts.channel.poll(wait, handlers, -1, 64);
    executor.deliver();
    const Instant after = steady_now();
    if (after >= engine->next_tick()) engine->tick(after);
    if (after < next_display) continue;
    if (auto change = parts.admission.take_change()) {
      parts.admitted = change->admitted;
      engine->change_admission(std::move(change->admitted), std::move(change->removed), after);
    } else if (parts.certificates != nullptr && parts.certificates->is_due(utc_seconds_now())) {
      engine->change_admission(parts.admitted, {}, after);  // reads the certificates again
    }
    parts.display.update(engine->progress(after), 0, engine->bytes_up(), engine->bytes_down(), after);
    next_display = after + std::chrono::milliseconds(200);
  }
  executor.wait();
  if (engine->failure()) return tl::unexpected<Error>(*engine->failure());
  if (engine->last_committed().value == 0) {
    if (engine->finished()->why == Finish::Why::stopped) return std::optional<ColumnStatistics>();
    return fail(ErrorCode::quorum, "statistics", engine->finished()->text, engine->finished()->hint);
  }
  HANSA_TRY(auto statistics, committed_statistics(*round.store, config.statistics->columns));
  parts.display.say(fmt::format("statistics of {} columns, over the data of {} clients", statistics.columns(),
                                observer.counted));
  return std::optional(std::move(statistics));
}

}  // namespace hansa::server::internal
