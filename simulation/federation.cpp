#include "simulation/federation.h"

#include <algorithm>
#include <set>

namespace hansa::simulation {

class Federation::AggregatorOutbox : public server::Outbox {
 public:
  explicit AggregatorOutbox(Network& network) : network_(network) {}
  transport::Sent send(PeerId peer, std::span<const std::byte> message,
                       const transport::Bulk& bulk) override {
    return network_.aggregator_to_client(peer, message, bulk.bytes) ? transport::Sent::queued
                                                                    : transport::Sent::peer_gone;
  }

 private:
  Network& network_;
};

// A device. Its disk (the archives it has stored) outlives its process (the engine).
struct Federation::ClientHost : client::Link, client::TrainingRunner, client::ArchiveStore {
  ClientHost(Federation& f, ClientSetup s) : federation(f), setup(std::move(s)) {}

  void open(std::uint64_t) override { federation.network_->open(setup.name); }
  void close() override {
    // A device that leaves hands over what it has said.
    if (leaves) federation.network_->close_gracefully(setup.name);
    else federation.network_->close(setup.name);
  }
  void send(std::span<const std::byte> message, const transport::Bulk& bulk) override {
    federation.network_->client_to_aggregator(setup.name, message, bulk.bytes);
  }
  void start(const messages::TrainTask& task, learning::TrainingRequest request,
             std::shared_ptr<client::TaskVectors> vectors) override {
    ++training;
    federation.start_training(*this, task, std::move(request), vectors);
  }
  void stop() override { ++training; }
  bool has(const Digest& archive) override { return archives.contains(archive); }
  Result<void> put(const Digest& archive, std::span<const std::byte>) override {
    archives.insert(archive);
    return {};
  }
  std::filesystem::path path(const Digest&) const override { return federation.options_.archive; }

  Federation& federation;
  ClientSetup setup;
  std::set<Digest> archives;
  std::unique_ptr<client::Engine> engine;
  // Number of the current start of the process, and of the current training: callbacks of earlier ones are ignored.
  std::uint64_t life = 0;
  std::uint64_t training = 0;
  bool leaves = false;
};

Federation::Federation(FederationOptions options, StoreFactory store_factory,
                       server::EngineObserver& observer, std::filesystem::path spool_folder)
    : options_(std::move(options)),
      store_factory_(std::move(store_factory)),
      observer_(observer),
      random_(derive_seed(options_.seed, "simulation faults")),
      workers_(1),
      spools_(std::move(spool_folder), 256ULL << 20) {
  Network::Handlers handlers;
  handlers.to_aggregator = [this](PeerId peer, const std::string& client, const Network::Bytes& message,
                                  const Network::Bytes& bulk) {
    if (options_.aggregator_hears) {
      options_.aggregator_hears(message);
      options_.aggregator_hears(bulk);
    }
    with_aggregator([&](server::Engine& e) { e.receive(peer, client, message, bulk, events_.now()); });
  };
  handlers.to_client = [this](const std::string& client, const Network::Bytes& message,
                              const Network::Bytes& bulk) {
    with_client(*clients_.at(client), [&](client::Engine& e) { e.receive(message, bulk, events_.now()); });
  };
  handlers.link_up = [this](const std::string& client) {
    with_client(*clients_.at(client), [&](client::Engine& e) { e.link_up(events_.now()); });
  };
  handlers.link_down = [this](const std::string& client) {
    with_client(*clients_.at(client), [&](client::Engine& e) {
      e.link_down(Error{ErrorCode::network, "simulated link", "is down", {}}, events_.now());
    });
  };
  network_ = std::make_unique<Network>(events_, derive_seed(options_.seed, "simulation network"),
                                       std::move(handlers));
  network_->set_faults(options_.network);
  outbox_ = std::make_unique<AggregatorOutbox>(*network_);
  for (auto& setup : options_.clients) {
    auto host = std::make_unique<ClientHost>(*this, setup);
    if (options_.clients_have_archive) host->archives.insert(options_.aggregator.coordinator.model.archive);
    clients_.emplace(setup.name, std::move(host));
  }
  if (options_.threads > 0) pool_ = std::make_unique<TrainingPool>(options_.threads);
  if (options_.arrival_seed) arrival_.emplace(*options_.arrival_seed);
}

Federation::~Federation() { pool_.reset(); }

void Federation::maybe_crash(double probability) {
  if (probability <= 0 || crashes_ >= options_.crashes.crashes_max) return;
  if (events_.now() - Instant{} >= options_.faults_end || !random_.chance(probability)) return;
  crash();
}

void Federation::crash() {
  ++crashes_;
  throw SimulatedCrash{};
}

Result<void> Federation::start_aggregator() {
  HANSA_TRY(store_, store_factory_());
  server::EngineConfig config = options_.aggregator;
  config.coordinator.process.session_seed = random_.next();
  config.coordinator.process.is_first_start = aggregator_life_ == 0;
  config.wall_clock = [this] {
    return "simulated+" + std::to_string((events_.now() - Instant{}) / std::chrono::milliseconds(1)) + "ms";
  };
  config.before_effect = [this](const server::Effect&) {
    if (++aggregator_effects_ == options_.crashes.aggregator_at_effect) crash();
    maybe_crash(options_.crashes.aggregator_per_effect);
  };
  HANSA_TRY(aggregator_, server::Engine::create(std::move(config),
                                                {*store_, *outbox_, workers_, spools_, observer_, executor_},
                                                events_.now()));
  ++aggregator_life_;
  network_->aggregator_up();
  schedule_aggregator_tick();
  return {};
}

void Federation::crash_aggregator() {
  bytes_up_ += aggregator_->bytes_up();
  bytes_down_ += aggregator_->bytes_down();
  aggregator_.reset();
  store_.reset();
  ++aggregator_life_;
  network_->aggregator_down();
  const auto down = Duration(static_cast<std::int64_t>(
      random_.below(static_cast<std::uint64_t>(options_.crashes.down_max.count()) + 1)));
  events_.after(down, [this] {
    if (auto started = start_aggregator(); !started) start_failure_ = started.error();
  });
}

void Federation::with_aggregator(const std::function<void(server::Engine&)>& action) {
  if (!aggregator_) return;
  try {
    action(*aggregator_);
  } catch (const SimulatedCrash&) {
    crash_aggregator();
    return;
  }
  schedule_aggregator_tick();
}

void Federation::schedule_aggregator_tick() {
  if (aggregator_->finished() || aggregator_->failure()) return;
  events_.at(aggregator_->next_tick(), [this, life = aggregator_life_, due = aggregator_->next_tick()] {
    // The time of the next tick may have changed since this callback was scheduled.
    if (life != aggregator_life_ || !aggregator_ || aggregator_->next_tick() > due) return;
    with_aggregator([&](server::Engine& e) { e.tick(events_.now()); });
  });
}

void Federation::start_client(ClientHost& host) {
  client::EngineConfig config;
  config.agent.federation = options_.federation;
  config.agent.software = "hansa simulation";
  config.agent.instance = random_.next();
  config.agent.secure_sums = host.setup.secure_sums;
  if (const auto& kept = host.setup.opened_sums) {
    auto opened = kept->all();
    if (!opened) {
      start_failure_ = opened.error();
      return;
    }
    if (config.agent.secure_sums)
      config.agent.secure_sums->opened = secure_aggregation::OpenedSums(*std::move(opened));
    config.opened_sums = kept;
  }
  // The operator runs the model on the operator's own machine.
  config.agent.models.unapproved = client::Unapproved::train;
  config.agent.methods = host.setup.trainer->methods();
  config.agent.decline_without_new = host.setup.decline_without_new;
  config.data = host.setup.data;
  config.hold_out_key = host.setup.hold_out_key;
  if (host.setup.open_ledger) {
    auto opened = host.setup.open_ledger();
    if (!opened) {
      start_failure_ = opened.error();
      return;
    }
    config.ledger = *std::move(opened);
  }
  if (options_.client_log)
    config.log = [this, name = host.setup.name](const client::Log& line) {
      options_.client_log(name, line.level, line.text);
    };
  config.before_effect = [this](const client::Effect&) { maybe_crash(options_.crashes.client_per_effect); };
  host.engine = std::make_unique<client::Engine>(std::move(config), host, host, host, events_.now());
  ++host.life;
  with_client(host, [&](client::Engine& e) {
    report_data(host, e);
    e.tick(events_.now());
  });
}

void Federation::report_data(ClientHost& host, client::Engine& engine) {
  const auto available = host.setup.trainer->available_data({});
  engine.data_known(client::data_report(available, {}), client::description_of(available), events_.now());
}

void Federation::schedule(ClientHost& host) {
  events_.after(host.setup.starts_after, [this, &host] { start_client(host); });
  for (const DataArrival& arrival : host.setup.arrivals)
    events_.after(arrival.after, [this, &host, arrives = arrival.arrives] {
      arrives();
      with_client(host, [&](client::Engine& e) { report_data(host, e); });
    });
  if (host.setup.leaves_after)
    events_.after(*host.setup.leaves_after, [this, &host] {
      host.leaves = true;
      with_client(host, [&](client::Engine& e) { e.stop(events_.now()); });
    });
}

void Federation::crash_client(ClientHost& host) {
  host.engine.reset();
  ++host.life;
  ++host.training;
  network_->close(host.setup.name);
  const auto down = Duration(static_cast<std::int64_t>(
      random_.below(static_cast<std::uint64_t>(options_.crashes.down_max.count()) + 1)));
  events_.after(down, [this, &host] { start_client(host); });
}

void Federation::with_client(ClientHost& host, const std::function<void(client::Engine&)>& action) {
  if (!host.engine) return;
  try {
    action(*host.engine);
  } catch (const SimulatedCrash&) {
    crash_client(host);
    return;
  }
  schedule_client_tick(host);
}

void Federation::schedule_client_tick(ClientHost& host) {
  if (host.engine->exited()) return;
  events_.at(host.engine->next_tick(), [this, &host, life = host.life, due = host.engine->next_tick()] {
    if (life != host.life || !host.engine || host.engine->next_tick() > due) return;
    with_client(host, [&](client::Engine& e) { e.tick(events_.now()); });
  });
}

void Federation::start_training(ClientHost& host, const messages::TrainTask& task,
                                learning::TrainingRequest request,
                                const std::shared_ptr<client::TaskVectors>& vectors) {
  auto result = std::make_shared<Result<learning::TrainingResult>>(tl::make_unexpected(Error{}));
  const auto work = [trainer = host.setup.trainer, task, request = std::move(request), vectors,
                     result](std::stop_token stop) {
    *result = trainer->train(request, client::outputs_of(*vectors, task), std::move(stop));
  };
  const auto done = [this, &host, life = host.life, training = host.training, task, result] {
    if (life != host.life || training != host.training) return;  // stopped, or the device crashed
    with_client(host, [&](client::Engine& e) { e.training_ended(task, std::move(*result), events_.now()); });
  };
  Duration took{};
  if (host.setup.training_takes) took = host.setup.training_takes();
  if (pool_) {
    // The clock does not advance while the pool works, so that the training ends this long after its start.
    if (took > Duration::zero()) pool_->submit(work, [this, took, done] { events_.after(took, done); });
    else pool_->submit(work, done);
    return;
  }
  if (!host.setup.training_takes && options_.training_max > Duration::zero())
    took = Duration(
        static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(options_.training_max.count()))));
  events_.after(took, [work, done] {
    work(std::stop_token{});
    done();
  });
}

void Federation::deliver_finished_trainings() {
  auto finished = pool_->take_all();
  if (arrival_) arrival_->shuffle(std::span(finished));
  for (auto& done : finished) events_.at(events_.now(), std::move(done));
}

Result<FederationOutcome> Federation::run(const std::atomic<bool>& stop) {
  HANSA_TRY_VOID(start_aggregator());
  for (auto& [name, host] : clients_) schedule(*host);
  if (options_.faults_end < options_.time_max)
    events_.after(options_.faults_end, [this] { network_->set_faults(NetworkFaults{}); });
  FederationOutcome out;
  for (;;) {
    if (start_failure_) return tl::unexpected<Error>(*start_failure_);
    if (aggregator_ && aggregator_->failure()) return tl::unexpected<Error>(*aggregator_->failure());
    if (aggregator_ && aggregator_->finished()) break;
    if ((stop || stop_asked_) && aggregator_) {
      with_aggregator([&](server::Engine& e) { e.stop(events_.now()); });
      continue;
    }
    // The virtual clock does not advance while trainings run.
    if (pool_ && !pool_->idle() && (events_.empty() || events_.next() > events_.now())) {
      deliver_finished_trainings();
      continue;
    }
    if (events_.empty() || events_.now() - Instant{} > options_.time_max) break;
    events_.step();
  }
  if (aggregator_ && aggregator_->finished()) {
    out.finish = *aggregator_->finished();
    out.last_committed = aggregator_->last_committed();
    out.model = aggregator_->model();
    out.bytes_up = bytes_up_ + aggregator_->bytes_up();
    out.bytes_down = bytes_down_ + aggregator_->bytes_down();
  }
  out.crashes = crashes_;
  out.aggregator_effects = aggregator_effects_;
  out.virtual_time = events_.now() - Instant{};
  return out;
}

}  // namespace hansa::simulation
