#include "tests/simulation/world.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "client/ledger/memory_ledger.h"
#include "common/vector_digest.h"
#include "tests/temporary_folder.h"

namespace hansa::testing {
namespace {

struct Recorder : server::EngineObserver {
  explicit Recorder(World& w) : world(w) {}
  void on_log(const server::Log& line) override { world.log.push_back(line.text); }
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const server::RoundRecord& record) override { committed = record.round; }
  World& world;
  RoundId committed;  // reported to the outside: no later start may have lost it
};

std::string client_name(std::uint32_t i) { return "client-" + std::to_string(100 + i); }

std::shared_ptr<const codecs::Plan> plan_of(const std::string& codec, std::uint64_t values,
                                            std::size_t vectors) {
  if (codec.empty()) return nullptr;
  const std::vector<codecs::Segment> segments(vectors, {values, *codecs::parse_spec(codec, "world"), 0});
  return std::make_shared<const codecs::Plan>(*codecs::Plan::create(segments));
}

}  // namespace

std::uint64_t examples_of(const std::string& client) {
  return 10 + 37 * (std::stoul(client.substr(client.find('-') + 1)) - 100);
}

void give_speeds(World& world, double spread, double longest_s) {
  world.options.equip = [spread, longest_s, seed = world.options.seed](simulation::ClientSetup& client) {
    auto random = std::make_shared<Random>(derive_seed(seed, "speed", 0, client.name));
    const double mean_s = 10 * std::exp(spread * random->normal());
    client.training_takes = [random, mean_s, longest_s] {
      return std::chrono::duration_cast<Duration>(
          std::chrono::duration<double>(std::min(mean_s * (0.8 + 0.4 * random->uniform()), longest_s)));
    };
  };
}

void World::run() {
  static const TemporaryFolder folder;  // of all worlds in the process
  const std::filesystem::path archive = folder / "archive";
  const std::string archive_text(1000, 'a');
  if (!std::filesystem::exists(archive)) std::ofstream(archive) << archive_text;

  std::vector<float> initial(options.elements);
  Random random(derive_seed(options.seed, "initial model"));
  for (float& value : initial) value = static_cast<float>(random.normal());

  server::RunIdentity identity;
  identity.federation = "simulated";
  identity.run = "run";
  identity.seed = options.seed;
  identity.archive = sha256(std::string_view(archive_text));
  identity.initial_model = vector_digest(initial);

  simulation::FederationOptions f;
  auto& c = f.aggregator.coordinator;
  c.settings.federation = f.federation = identity.federation;
  f.aggregator.run = identity.run;
  c.settings.seed = options.seed;
  c.settings.rounds = options.rounds;
  c.settings.cohort.clients_min = options.clients_min;
  c.settings.cohort.clients_expected = options.clients;
  c.settings.cohort.gather = std::chrono::seconds(60);
  c.settings.cohort.wait_max = options.wait_max;
  c.settings.cohort.deadline = std::chrono::seconds(120);
  c.settings.cohort.quorum = options.quorum;
  if (options.buffered) {
    c.settings.cohort.mode = server::CohortMode::buffered;
    c.settings.cohort.buffered = *options.buffered;
  }
  c.settings.cohort.fraction = options.fraction;
  c.settings.cohort.attempts_max = options.attempts_max;
  c.settings.aggregation = options.aggregation;
  c.settings.limits = options.limits;
  c.settings.limits.uploads_max = options.uploads_max;
  c.settings.contract = options.contract;
  c.settings.client_evaluation = options.client_evaluation;
  if (!options.model_metrics.empty()) c.model.approval = {"model", "1", options.model_metrics, {}};
  c.model.archive = identity.archive;
  c.model.archive_bytes = archive_text.size();
  c.model.elements = options.elements;
  c.process.chunk_bytes = options.chunk_bytes;
  if (options.method) {
    c.settings.method.name = options.method->name;
    c.settings.vectors = *exchanged_vectors(*options.method);
  }
  c.compression.uplink = plan_of(options.uplink, options.elements, 1 + c.settings.vectors.size());
  c.compression.downlink = plan_of(options.downlink, options.elements, 1);
  c.compression.full_every = options.full_every;
  compression = c.compression;
  f.aggregator.optimizer = options.optimizer;
  f.aggregator.archive = f.archive = archive;
  for (std::uint32_t i = 0; i < options.clients; ++i) {
    simulation::ClientSetup& client = f.clients.emplace_back();
    client.name = client_name(i);
    client.trainer = std::make_shared<FakeTrainer>(examples_of(client.name), options.method);
    client.open_ledger = [ledger = std::make_shared<client::MemoryLedger>()] { return ledger; };
    c.settings.admitted.push_back(client_name(i));
  }
  if (options.equip)
    for (auto& client : f.clients) options.equip(client);
  std::optional<simulation::Identities> made;
  if (options.secure) {
    made = *simulation::Identities::create(identity.federation, options.seed);
    c.settings.secure_sums.emplace();
    c.settings.secure_sums->assumptions.threat_model = *options.secure;
    c.settings.secure_sums->metrics = {"loss"};
    c.settings.secure_sums->rotated = true;
    c.settings.secure_sums->fraction = options.secure_fraction;
    f.aggregator.certificate = [&](const std::string& client) { return made->certificate(client); };
    secure_aggregation::Policy policy;
    policy.threat_model = *options.secure;
    policy.honest_min = c.settings.secure_sums->honest_min = secure_aggregation::honest_min_least;
    for (auto& client : f.clients) {
      client.secure_sums = *made->add(client.name, "", policy);
      identities.emplace(client.name, *client.secure_sums);
      opened_sums[client.name] = std::make_shared<client::MemoryOpenedSums>();
      client.opened_sums = opened_sums[client.name];
    }
  }
  f.seed = options.seed;
  f.network = options.network;
  f.crashes = options.crashes;
  f.training_max = options.training_max;
  f.faults_end = std::chrono::minutes(30);
  f.time_max = options.time_max;
  f.threads = options.threads;
  f.arrival_seed = options.arrival_seed;

  f.client_log = [this](const std::string& client, client::Log::Level, const std::string& text) {
    client_log.push_back(client + ": " + text);
  };
  if (options.keep_heard)
    f.aggregator_hears = [this](std::span<const std::byte> bytes) {
      heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };

  Recorder recorder(*this);
  const auto open_store = [&]() -> Result<std::unique_ptr<server::Store>> {
    ++starts;
    auto store = std::make_unique<server::MemoryStore>(
        disk, server::MemoryStore::BeforeStep{}, server::MemoryRunOptions{.retention = options.retention});
    HANSA_TRY_VOID(store->begin_run(identity, initial));
    HANSA_TRY(const auto position, store->position());
    if (position->round < recorder.committed)
      lost.push_back("round " + std::to_string(recorder.committed.value));
    return store;
  };
  simulation::Federation federation(std::move(f), open_store, recorder, ::testing::TempDir());
  const std::atomic<bool> never_stop{false};
  outcome = federation.run(never_stop);
}

}  // namespace hansa::testing
