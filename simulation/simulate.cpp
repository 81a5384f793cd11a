#include "simulation/simulate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>

#include "common/random.h"
#include "common/utc.h"
#include "client/config/client_config.h"
#include "client/state/client_data.h"
#include "learning/evaluation.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "server/divergence/run_watch.h"
#include "server/setup/run_setup.h"
#include "server/setup/statistics_round.h"
#include "server/store/training_metrics.h"
#include "simulation/federation.h"
#include "simulation/identities.h"

namespace hansa::simulation {
namespace {

Result<server::ArchiveFacts> describe_here(const std::filesystem::path& archive,
                                           std::span<const std::string> personal) {
  HANSA_TRY(auto description, learning::describe_archive(archive, personal));
  return server::ArchiveFacts{description.archive,
                              std::move(description.layout),
                              {description.parameters.begin(), description.parameters.end()}};
}

// The times of a client's trainings; empty if they take none.
std::function<Duration()> training_times(const server::FederationConfig& config, const std::string& client) {
  const server::SimulatedSpeeds& speeds = config.simulated_speeds;
  if (speeds.training_s == 0) return {};
  auto random = std::make_shared<Random>(derive_seed(config.seed, "training time", 0, client));
  const double typical_s = speeds.training_s * std::exp(speeds.spread * random->normal());
  return [random, typical_s] {
    const double s = typical_s * (0.9 + 0.2 * random->uniform());
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
  };
}

Result<std::vector<ClientSetup>> open_clients(const server::FederationConfig& config,
                                              const SimulateOptions& options, Identities& identities) {
  if (config.simulated_clients.empty())
    return fail(ErrorCode::usage, config.file.string(), "simulation.clients matches no file",
                "set it to the clients' files, for example clients = \"sites/*/client.toml\"");
  std::vector<ClientSetup> clients;
  for (const auto& file : config.simulated_clients) {
    HANSA_TRY(const auto client, client::read_client_config(file));
    if (client.federation != config.name)
      return fail(ErrorCode::usage, file.string(),
                  "belongs to federation \"" + client.federation + "\", not \"" + config.name + "\"",
                  "set [client] federation to the same name");
    if (client.name.empty())
      return fail(ErrorCode::usage, file.string(), "has no [client] name",
                  "set [client] name to the name of its admitted key");
    HANSA_TRY(const auto data,
              client::open_client_data(client, client::KeepState::in_memory, learning::open_examples,
                                       learning::supply_data(client.data)));
    // A simulation does not wait for arriving data: it uses what has arrived before it starts.
    if (data.followed) {
      HANSA_TRY_VOID(data.followed->take_all());
    }
    learning::LocalTrainerConfig trainer;
    trainer.supply = data.supply;
    trainer.scale = client.data.scale;
    trainer.threads = client.resources.threads;
    trainer.memory_bytes_max = client.resources.memory_mib_max << 20;
    std::shared_ptr<learning::Trainer> trainer_of_client = learning::make_local_trainer(trainer);
    if (options.wrap_trainer)
      trainer_of_client = options.wrap_trainer(client.name, std::move(trainer_of_client));
    clients.push_back({.name = client.name, .trainer = std::move(trainer_of_client), .data = data.supply});
    clients.back().training_takes = training_times(config, client.name);
    clients.back().open_ledger = [ledger = data.ledger] { return ledger; };
    HANSA_TRY(clients.back().hold_out_key, identities.hold_out_key(client.name, client.key));
    // secure_aggregation.required protects devices. In a simulation no update leaves the process. Without secure sums clients
    // report their exact numbers of examples.
    if (client.secure_aggregation && config.secure_aggregation) {
      HANSA_TRY(clients.back().secure_sums,
                identities.add(client.name, client.key, client.secure_aggregation->policy));
      clients.back().secure_sums->required = false;
    }
  }
  std::sort(clients.begin(), clients.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < clients.size(); ++i)
    if (clients[i].name == clients[i - 1].name)
      return fail(ErrorCode::usage, config.file.string(),
                  "has two clients named \"" + clients[i].name + "\"");
  return clients;
}

class Observer final : public server::EngineObserver {
 public:
  Observer(const server::FederationConfig& config, server::Store& store, learning::Evaluator* evaluator,
           const RoundDone& round_done)
      : config_(config),
        store_(store),
        evaluator_(evaluator),
        round_done_(round_done),
        watch_({config.divergence, config.best_metric, config.until, config.evaluation.has_value(),
                config.client_evaluation.has_value()}) {}
  void on_log(const server::Log& line) override {
    if (line.level == server::Log::Level::warning) warn(line.text);
  }
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const server::RoundRecord& record) override {
    last = {};
    training = server::training_metrics(record);
    if (const auto problems = watch_.on_committed(record); !problems.empty()) {
      const std::string text = server::divergence_text(record.round, problems);
      warn(text);
      if (config_.divergence.action == server::DivergenceAction::stop && watch_.is_certain()) {
        diverged = Error{ErrorCode::data, config_.file.string(), text + ", and divergence.action is \"stop\"",
                         "lower training.learning_rate"};
        stop();
      }
    }
    const bool due = record.round.value % std::max(config_.evaluation_every, 1U) == 0 ||
                     record.round.value == config_.rounds;
    if (due) evaluate(record);
    if (auto text = watch_.reached({}); !text.empty() && !enough) {
      enough = std::move(text);
      if (!due) evaluate(record);  // nobody knew before that it is the last one
      stop();
    }
    round_done_(record, last);
  }
  Metrics last;
  Metrics training;
  std::size_t elements = 0;
  std::optional<Error> failure;
  std::function<void()> stop;  // ends the federation's run
  std::optional<std::string> enough;  // why [schedule.until] ends the run
  std::optional<Error> diverged;  // and [divergence] says that the run stops
  [[nodiscard]] const std::optional<server::BestRound>& best() const { return watch_.best(); }

 private:
  static void warn(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }
  void evaluate(const server::RoundRecord& record) {
    if (evaluator_ == nullptr) return;
    std::vector<float> parameters(elements);
    Result<void> done = store_.get_model(record.model, parameters);
    if (done) {
      auto metrics = evaluator_->evaluate(parameters);
      if (const std::string warning = evaluator_->warning();
          !warning.empty() && !std::exchange(has_warned_, true))
        warn(warning);
      if (metrics) last = *metrics;
      else done = tl::unexpected<Error>(metrics.error());
    }
    if (done) done = store_.record_evaluation(record.round, last);
    watch_.on_evaluated(record.round, last);
    if (!done) failure = done.error();
  }

  const server::FederationConfig& config_;
  server::Store& store_;
  learning::Evaluator* evaluator_;
  bool has_warned_ = false;
  const RoundDone& round_done_;
  server::RunWatch watch_;
};

// The federation owns its store, but the run folder belongs to the caller, who evaluates and prints.
class BorrowedStore final : public server::Store {
 public:
  explicit BorrowedStore(server::Store& store) : store_(store) {}
  Result<void> begin_run(const server::RunIdentity& i, std::span<const float> m) override {
    return store_.begin_run(i, m);
  }
  Result<Digest> put_model(std::span<const float> p) override { return store_.put_model(p); }
  Result<void> get_model(const Digest& d, std::span<float> p) override { return store_.get_model(d, p); }
  Result<Digest> put_delta(std::span<const std::byte> s) override { return store_.put_delta(s); }
  Result<std::vector<std::byte>> get_delta(const Digest& d) override { return store_.get_delta(d); }
  bool wants_published_vector(RoundId r) const override { return store_.wants_published_vector(r); }
  Result<void> commit_round(const server::RoundRecord& r) override { return store_.commit_round(r); }
  Result<void> record_evaluation(RoundId r, const Metrics& m) override {
    return store_.record_evaluation(r, m);
  }
  Result<void> record_abandoned(const server::AbandonedAttempt& a) override {
    return store_.record_abandoned(a);
  }
  Result<std::optional<Position>> position() override { return store_.position(); }
  Result<std::optional<server::RoundRecord>> round(RoundId r) override { return store_.round(r); }
  Result<std::vector<server::Arrival>> arrivals(RoundId r) override { return store_.arrivals(r); }
  Result<std::optional<Metrics>> evaluation(RoundId r) override { return store_.evaluation(r); }
  Result<std::optional<server::Published>> published(RoundId r) override { return store_.published(r); }

 private:
  server::Store& store_;
};

class Warnings final : public server::EngineObserver {
 public:
  void on_log(const server::Log& line) override {
    if (line.level == server::Log::Level::warning)
      std::fprintf(stderr, "statistics: %s\n", line.text.c_str());
  }
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const server::RoundRecord&) override {}
};

// An aggregator waits until somebody has corrected what is wrong. In a simulation nobody does.
void end_where_an_aggregator_waits(server::CohortConfig& cohort) {
  if (cohort.wait_max == Duration::zero()) cohort.wait_max = std::chrono::seconds(120);
  if (cohort.attempts_max == 0) cohort.attempts_max = 5;
}

// A federation of the same clients that computes the statistics of their data. Empty: it was stopped.
Result<std::optional<ColumnStatistics>> gather_statistics(const server::FederationConfig& config,
                                                          const server::PreparedRun& run,
                                                          const FederationOptions& of_run,
                                                          const std::atomic<bool>& stop) {
  FederationOptions f = of_run;
  HANSA_TRY(auto round,
            server::prepare_statistics_round(config, run, f.aggregator.coordinator.settings.admitted));
  f.aggregator.coordinator = round.coordinator;
  end_where_an_aggregator_waits(f.aggregator.coordinator.settings.cohort);
  f.aggregator.optimizer = round.optimizer;
  Warnings observer;
  const auto open_store = [&]() -> Result<std::unique_ptr<server::Store>> {
    return std::make_unique<BorrowedStore>(*round.store);
  };
  Federation federation(std::move(f), open_store, observer, run.store->scratch_folder());
  HANSA_TRY(const auto outcome, federation.run(stop));
  if (outcome.last_committed.value == 0) {
    if (outcome.finish.why == server::Finish::Why::stopped) return std::optional<ColumnStatistics>();
    return fail(ErrorCode::quorum, "statistics", outcome.finish.text, outcome.finish.hint);
  }
  HANSA_TRY(auto statistics, server::committed_statistics(*round.store, config.statistics->columns));
  return std::optional(std::move(statistics));
}

// A simulation begins its rounds one after the other, and has to end.
Result<void> check_schedule(const server::FederationConfig& config) {
  if (config.rounds == 0 && !config.until.reaches && config.until.without_better == 0)
    return fail(ErrorCode::usage, config.file.string(), "rounds = 0 has no end", "simulate with --rounds N");
  if (config.schedule.is_set() || config.until.seconds > 0)
    std::fputs("a simulation does not wait for [schedule], and ignores schedule.until.hours\n", stderr);
  return {};
}

}  // namespace

Result<SimulateOutcome> run_simulation(const server::FederationConfig& config, const SimulateOptions& options,
                                       const RoundDone& round_done, const std::atomic<bool>& stop) {
  const Instant began = steady_now();
  HANSA_TRY_VOID(check_schedule(config));
  const std::uint32_t epoch = config.secure_aggregation ? config.secure_aggregation->epoch : 1;
  HANSA_TRY(auto identities, Identities::create(config.name, config.seed, epoch));
  HANSA_TRY(auto clients, open_clients(config, options, identities));
  server::RunRequest request;
  request.choice = server::RunChoice::new_run;
  request.approval = server::Approval::unused;
  request.kind = server::RunKind::simulated;
  HANSA_TRY(auto run,
            server::prepare_run(config, *server::open_catalogue(config.runs / server::simulated_folder),
                                request, describe_here));
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  FederationOptions f;
  f.federation = config.name;
  f.aggregator.run = run.run;
  f.aggregator.coordinator = run.coordinator;
  if (f.aggregator.coordinator.settings.secure_sums)
    f.aggregator.certificate = [&](const std::string& client) { return identities.certificate(client); };
  f.aggregator.archive = f.archive = run.archive;
  for (const auto& client : clients) f.aggregator.coordinator.settings.admitted.push_back(client.name);
  f.clients = std::move(clients);
  end_where_an_aggregator_waits(f.aggregator.coordinator.settings.cohort);
  f.aggregator.coordinator.settings.schedule = {};
  f.seed = config.seed;
  f.clients_have_archive = true;
  f.threads = options.threads > 0 ? options.threads : cores;
  f.arrival_seed = options.arrival_seed;
  // A simulation shows what the devices' own logs would: which column differs from the data contract, for example.
  f.client_log = [](const std::string& client, client::Log::Level level, const std::string& text) {
    if (level == client::Log::Level::warning || level == client::Log::Level::error)
      std::fprintf(stderr, "%s: %s\n", client.c_str(), text.c_str());
  };
  if (run.unbegun) {
    HANSA_TRY(const auto statistics, gather_statistics(config, run, f, stop));
    if (!statistics)
      return fail(ErrorCode::quorum, "statistics", "were not computed: the simulation was stopped");
    HANSA_TRY_VOID(server::begin(run, config, *statistics));
  }
  f.aggregator.optimizer = run.optimizer;
  f.aggregator.layer_sizes = run.layer_sizes;
  f.aggregator.initial_state = run.initial_state;
  if (!run.statistics.empty())
    f.aggregator.constants.push_back(
        {std::string(statistics_input), std::make_shared<const std::vector<float>>(run.statistics)});
  std::unique_ptr<learning::Evaluator> evaluator;
  if (config.evaluation) {
    HANSA_TRY(evaluator, learning::make_evaluator(run.archive, *config.evaluation, static_cast<int>(cores),
                                                  config.personal, run.statistics));
  }
  Observer observer(config, *run.store, evaluator.get(), round_done);
  observer.elements = run.coordinator.model.elements;
  const auto open_store = [&]() -> Result<std::unique_ptr<server::Store>> {
    return std::make_unique<BorrowedStore>(*run.store);
  };
  Federation federation(std::move(f), open_store, observer, run.store->scratch_folder());
  observer.stop = [&federation] { federation.stop_soon(); };
  HANSA_TRY(const auto outcome, federation.run(stop));
  if (observer.diverged) return tl::unexpected<Error>(*observer.diverged);
  if (observer.failure) return tl::unexpected<Error>(*observer.failure);
  if (outcome.finish.why == server::Finish::Why::gave_up)
    return fail(ErrorCode::quorum, run.store->location(), outcome.finish.text, outcome.finish.hint);
  if (outcome.finish.why == server::Finish::Why::all_rounds || observer.enough)
    HANSA_TRY_VOID(run.store->record_end({outcome.last_committed, rfc3339_text(utc_seconds_now()),
                                          observer.enough.value_or(outcome.finish.text)}));
  SimulateOutcome out;
  out.run_folder = run.store->location();
  out.last_committed = outcome.last_committed;
  out.model = outcome.model;
  out.training = observer.training;
  out.evaluation = observer.last;
  out.best = observer.best();
  out.enough = observer.enough.value_or("");
  out.seconds = seconds(steady_now() - began);
  out.bytes_up = outcome.bytes_up;
  out.bytes_down = outcome.bytes_down;
  return out;
}

}  // namespace hansa::simulation
