#include "server/process/internal/statistics_phase.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/engine/thread_executor.h"
#include "server/process/internal/audit_witness.h"
#include "server/process/internal/channel_outbox.h"
#include "server/process/internal/device_book.h"
#include "server/process/internal/engine_loop.h"

namespace hansa::server::internal {
namespace {

class Observer final : public EngineObserver {
 public:
  explicit Observer(const Host& host) : host_(host) {}
  // The round is none of the run's.
  void on_log(const Log& line) override {
    const std::string text = "statistics: " + line.text;
    const LogFields fields{.event = line.event, .client = line.client, .phase = phase};
    switch (line.level) {
      case Log::Level::debug: return host_.log().debug(text, fields);
      case Log::Level::info: return host_.log().info(text, fields);
      case Log::Level::warning: return host_.warn()(text, fields);
    }
  }
  void on_round_started(RoundId, std::uint32_t cohort) override {
    host_.log().info(fmt::format("statistics: {} clients are asked", cohort), {.phase = phase});
  }
  void on_committed(const RoundRecord& record) override {
    counted = static_cast<std::uint32_t>(
        std::ranges::count(record.participations, Outcome::counted, &Participation::outcome));
  }
  std::uint32_t counted = 0;

 private:
  static constexpr std::string_view phase = "statistics";
  const Host& host_;
};

}  // namespace

Result<std::optional<ColumnStatistics>> gather_statistics(const FederationConfig& config,
                                                          const PreparedRun& run, EngineConfig engine_config,
                                                          Host& host, const std::atomic<bool>& stop) {
  HANSA_TRY(auto round, prepare_statistics_round(config, run, host.admitted()));
  const ProcessSettings process = engine_config.coordinator.process;
  engine_config.run = run.run;
  engine_config.coordinator = round.coordinator;
  engine_config.coordinator.process = process;
  // A message that all rounds are done would end the clients.
  engine_config.coordinator.settings.after_last_round = AfterLastRound::stay;
  engine_config.optimizer = round.optimizer;
  engine_config.layer_sizes.clear();  // of the model, and this round sums statistics
  WorkerPool workers(0);
  SpoolPool spools(run.store->scratch_folder(), config.limits.spool_memory_mib << 20);
  ChannelOutbox outbox(host.channel());
  ThreadExecutor executor([&] { host.channel().wake(); });
  Observer observer(host);
  DeviceBook book(host.open_book(), run.run, config.admitted, executor,
                  [&host](const std::string& text) { host.warn_of_register(text); });
  AuditWitness witness(host.open_register(), executor, host.log());
  HANSA_TRY(const auto engine,
            Engine::create(std::move(engine_config),
                           {*round.store, outbox, workers, spools, observer, executor}, steady_now()));
  EngineLoop loop(host, *engine, executor);
  book.match_folder();
  bool is_over = false;
  while (!engine->finished() && !engine->failure()) {
    if (!is_over && (stop || engine->last_committed().value > 0)) {
      is_over = true;
      engine->stop(steady_now());
      continue;
    }
    loop.turn();
    const Instant now = steady_now();
    if (!loop.is_display_due(now)) continue;
    if (host.follow_admission(*engine, now)) book.match_folder();
    witness.look_due(now);
    host.display().update(engine->progress(now), 0, engine->bytes_up(), engine->bytes_down(), now);
  }
  executor.wait();
  if (engine->failure()) return tl::unexpected<Error>(*engine->failure());
  if (engine->last_committed().value == 0) {
    if (engine->finished()->why == Finish::Why::stopped) return std::optional<ColumnStatistics>();
    return fail(ErrorCode::quorum, "statistics", engine->finished()->text, engine->finished()->hint);
  }
  HANSA_TRY(auto statistics, committed_statistics(*round.store, config.statistics->columns));
  host.display().say(fmt::format("statistics of {} columns, over the data of {} clients",
                                 statistics.columns(), observer.counted));
  return std::optional(std::move(statistics));
}

}  // namespace hansa::server::internal
