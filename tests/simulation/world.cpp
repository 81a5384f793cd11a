#include "tests/simulation/world.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "client/ledger/memory_ledger.h"
#include "common/vector_digest.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/update.h"
#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "server/coordinator/task_id.h"
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
std::uint64_t examples_of(std::uint32_t i) { return 10 + 37 * i; }
std::uint64_t examples_of_name(const std::string& client) {
  return examples_of(static_cast<std::uint32_t>(std::stoul(client.substr(client.find('-') + 1)) - 100));
}

std::shared_ptr<const codecs::Plan> plan_of(const std::string& codec, std::uint64_t values,
                                            std::size_t vectors) {
  if (codec.empty()) return nullptr;
  const std::vector<codecs::Segment> segments(vectors, {values, *codecs::parse_spec(codec, "world"), 0});
  return std::make_shared<const codecs::Plan>(*codecs::Plan::create(segments));
}

// As the aggregator chooses it: the most that a client reports, but at most four medians.
double weight_unit_of(const server::RoundRecord& record) {
  std::vector<std::uint64_t> reports;
  for (const auto& p : record.participations) reports.push_back(examples_of_name(p.client));
  std::ranges::sort(reports);
  return static_cast<double>(std::min(reports.back(), 4 * reports[(reports.size() - 1) / 2]));
}

}  // namespace

std::string publish(const World& world, const server::RoundRecord& record, const std::vector<float>& next,
                    std::vector<float>& published, Digest& digest) {
  const auto& plan = world.compression.downlink;
  const auto seeds = messages::delta_seeds({digest, {}, 0});
  std::optional<Sent> delta;
  if (plan && (world.options.full_every == 0 || record.round.value % world.options.full_every != 0)) {
    std::vector<float> difference(next.size());
    for (std::size_t i = 0; i < next.size(); ++i) difference[i] = next[i] - published[i];
    delta = send(*plan, difference, {}, seeds, codecs::delta_magnitude_max);
    if (delta->bytes.size() >= next.size() * sizeof(float)) delta.reset();  // for a tiny model
  }
  if (delta.has_value() != record.published.has_value()) return "went whole, or not, when it should not";
  if (!delta) {
    published = next;
    digest = record.model;
    return {};
  }
  if (sha256(std::span<const std::byte>(delta->bytes)) != record.published->delta) return "the delta differs";
  std::vector<std::byte> memory;
  codecs::Update::read(*world.compression.downlink, seeds, codecs::delta_magnitude_max, delta->bytes, memory)
      ->accumulate(0, next.size(), 1.0F, published);
  digest = messages::name_of({digest, sha256(std::span<const std::byte>(delta->bytes)), delta->bytes.size()});
  return digest == record.published->model &&
                 record.published->check == checksum(std::span<const float>(published))
             ? ""
             : "another model was published";
}

Sent send(const codecs::Plan& plan, std::span<const float> values, std::span<const float> kept,
          const codecs::Seeds& seeds, float magnitude_max) {
  Sent out;
  out.kept.resize(plan.state_values());
  EXPECT_TRUE(codecs::Encoder(plan).encode(values, kept, out.kept, seeds, magnitude_max,
                                           codecs::Entropy::if_smaller, out.bytes));
  return out;
}

std::uint64_t training_seed(const World& world, const server::Work& work, const std::string& client) {
  return messages::training_seed(server::round_seed(world.options.seed, work), client);
}

codecs::Seeds seeds_of(const World& world, RoundId round, const std::string& client) {
  messages::TrainTask task;
  task.seed = training_seed(world, {round}, client);
  task.compression.emplace().cohort_seed = derive_seed(world.options.seed, "codec places", round.value);
  return messages::update_seeds(task);
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
    client.trainer = std::make_shared<FakeTrainer>(examples_of(i), options.method);
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

std::string check_models(const World& world) {
  __extension__ using Wide = __int128;
  const auto& disk = *world.disk;
  Digest base = disk.identity->initial_model, published_digest = base;
  std::vector<float> published = disk.models.at(base);
  std::vector<float> velocity(published.size());  // of server momentum
  const std::size_t exchanged = world.options.method ? world.options.method->outputs.size() : 0;
  std::vector<std::vector<float>> vectors(exchanged, std::vector<float>(published.size()));
  std::map<std::string, std::vector<float>> kept;
  for (const auto& record : disk.rounds) {
    const std::string place = "round " + std::to_string(record.round.value) + ": ";
    if (record.base != base) return place + "does not start from the model before it";
    const auto& global = disk.models.at(base);
    // The scale that the round must have used: accumulator.h.
    const double bound = static_cast<double>(server::LimitsConfig{}.examples_max) *
                         static_cast<double>(record.participations.size()) *
                         server::LimitsConfig{}.magnitude_max;
    const int scale = std::min(40, 62 - static_cast<int>(std::ceil(std::log2(bound))));
    const std::size_t elements = global.size();
    std::vector<Wide> sums(elements * (1 + exchanged));
    std::uint64_t weight = 0;
    for (const auto& p : record.participations) {
      if (p.outcome != server::Outcome::counted) continue;
      std::vector<float> delta(sums.size());  // and the outputs behind it
      const std::uint64_t seed = training_seed(world, {record.round}, p.client);
      FakeTrainer::compute(seed, published, std::span(delta).first(elements));
      for (std::size_t i = 0; i < exchanged; ++i)
        FakeTrainer::compute_vector(seed, i, vectors[i],
                                    std::span(delta).subspan((1 + i) * elements, elements));
      weight += p.examples;
      if (const auto& plan = world.compression.uplink) {
        const auto seeds = seeds_of(world, record.round, p.client);
        auto sent = send(*plan, delta, kept[p.client], seeds, 64.0F);
        kept[p.client] = std::move(sent.kept);
        if (p.update != checksum(std::span<const std::byte>(sent.bytes)))
          return place + p.client + "'s update is another";
        std::vector<std::byte> memory;
        std::vector<std::int64_t> part(delta.size());
        codecs::Update::read(*plan, seeds, 64.0F, sent.bytes, memory)
            ->fold(0, delta.size(), std::ldexp(static_cast<double>(p.examples), scale), part);
        for (std::size_t i = 0; i < delta.size(); ++i) sums[i] += part[i];
        continue;
      }
      if (p.update != checksum(std::span<const float>(delta)))
        return place + p.client + "'s update is another";
      for (std::size_t i = 0; i < delta.size(); ++i)
        sums[i] += static_cast<Wide>(std::nearbyint(
            std::ldexp(static_cast<double>(delta[i]) * static_cast<double>(p.examples), scale)));
    }
    std::vector<float> next(global.size());
    const double denominator = std::ldexp(static_cast<double>(weight), scale);
    const auto mean = [&](std::size_t i) {
      return static_cast<double>(static_cast<std::int64_t>(sums[i])) / denominator;
    };
    const bool with_momentum = world.options.optimizer.name == "fedavgm";
    for (std::size_t i = 0; i < next.size(); ++i) {
      double change = mean(i);
      if (with_momentum) {
        velocity[i] =
            static_cast<float>(world.options.optimizer.momentum * static_cast<double>(velocity[i]) + change);
        change = static_cast<double>(velocity[i]);
      }
      next[i] = static_cast<float>(static_cast<double>(global[i]) + change);
    }
    const std::size_t of_optimizer = with_momentum ? 1 : 0;
    if (record.state.size() != of_optimizer + exchanged) return place + "names other vectors";
    for (std::size_t v = 0; v < exchanged; ++v) {
      for (std::size_t i = 0; i < elements; ++i)
        vectors[v][i] = static_cast<float>(static_cast<double>(vectors[v][i]) + mean((1 + v) * elements + i));
      if (record.state[of_optimizer + v].vector != vector_digest(vectors[v]))
        return place + "an exchanged vector is another";
    }
    if (with_momentum && record.state[0].vector != vector_digest(velocity))
      return place + "the velocity is another";
    if (record.model != vector_digest(next)) return place + "the model is not the exact mean";
    if (const std::string wrong = publish(world, record, next, published, published_digest); !wrong.empty())
      return place + wrong;
    base = record.model;
  }
  return {};
}

std::string sum_securely(const World& world, const server::RoundRecord& record, const server::Work& work,
                         const std::vector<float>& trained,
                         std::map<std::string, std::vector<float>>& left_over, std::vector<float>& mean) {
  namespace sa = secure_aggregation;
  if (record.secure->scales.size() != 1) return "has not the one segment";
  sa::SumSetup setup;
  setup.federation = "simulated";
  setup.round = work.round;
  setup.model = vector_digest(trained);
  setup.clients = static_cast<std::uint32_t>(record.participations.size());
  setup.metrics = {"loss"};
  const double unit = weight_unit_of(record);
  const std::uint32_t levels = record.secure->value_bits > 16
                                   ? sa::first_quantisation(setup.clients, unit).levels
                                   : sa::choose_grid(setup.clients, 8).levels;
  setup.quantisation = {levels, record.secure->ring_bits,     record.secure->clip, unit,
                        true,   world.options.secure_fraction};
  setup.segments = {{trained.size(), record.secure->scales[0] / unit}};
  std::vector<std::uint32_t> sum(sa::vector_elements(setup)), numbers(sum.size());
  std::uint32_t counted = 0;
  std::uint64_t weight = 0;
  for (const auto& p : record.participations) {
    if (p.outcome != server::Outcome::counted) continue;
    if (p.examples != 0 || !p.metrics.empty()) return "the aggregator knows " + p.client + "'s metrics";
    std::vector<float> delta(trained.size());
    FakeTrainer::compute(training_seed(world, work, p.client), trained, delta);
    if (world.options.secure_fraction < 1) {
      auto& left = left_over[p.client];
      left.resize(delta.size());
      for (std::size_t i = 0; i < delta.size(); ++i) delta[i] += left[i];
      sa::left_out(delta, setup, left);
    }
    const std::uint64_t examples = examples_of_name(p.client);
    const auto seed = sa::rounding_seed(*world.identities.at(p.client).key, p.client, setup);
    if (!sa::quantise(delta, examples, {{"loss", 1.0, static_cast<double>(examples)}}, setup, seed, numbers))
      return "cannot be rounded";
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += numbers[i];
    ++counted;
    weight += examples;
  }
  mean.assign(trained.size(), 0);
  const auto totals = sa::dequantise(sum, counted, setup, mean);
  if (!totals) return totals.error().text();
  if (record.secure->examples != weight) return "the weight is another";
  if (record.secure->metrics != Metrics{{"loss", static_cast<double>(counted), static_cast<double>(weight)}})
    return "the metrics are others";
  return {};
}

std::string check_secure_models(const World& world) {
  const auto& disk = *world.disk;
  Digest base = disk.identity->initial_model, published_digest = base;
  std::vector<float> published = disk.models.at(base);
  std::map<std::string, std::vector<float>> kept;
  for (const auto& record : disk.rounds) {
    const std::string place = "round " + std::to_string(record.round.value) + ": ";
    if (record.base != base) return place + "does not start from the model before it";
    if (!record.secure) return place + "was not summed securely";
    const auto& global = disk.models.at(base);
    // Which attempts opened a sum without a commit is not recorded. The seeds of the clients' training depend on it.
    std::vector<float> next(global.size());
    const auto differs = [&](std::uint32_t opened, auto& left_over) -> std::string {
      std::vector<float> mean;
      const std::string wrong =
          sum_securely(world, record, {record.round, opened}, published, left_over, mean);
      if (!wrong.empty()) return wrong;
      for (std::size_t i = 0; i < next.size(); ++i) next[i] = global[i] + mean[i];
      return record.model == vector_digest(next) ? "" : "the model is not the mean";
    };
    std::string first;
    constexpr std::uint32_t opened_max = 20;  // the largest number of crashes in these worlds
    for (std::uint32_t opened = 0;; ++opened) {
      auto left_over = kept;
      const std::string difference = differs(opened, left_over);
      if (opened == 0) first = difference;
      if (opened == opened_max) return place + first;
      if (!difference.empty()) continue;
      kept = std::move(left_over);
      break;
    }
    if (const std::string wrong = publish(world, record, next, published, published_digest); !wrong.empty())
      return place + wrong;
    base = record.model;
  }
  return {};
}

std::string check_records(const World& world) {
  std::uint32_t number = 0;
  for (const auto& record : world.disk->rounds) {
    const std::string place = "round " + std::to_string(record.round.value) + ": ";
    if (record.round.value != ++number) return place + "out of order";
    std::set<std::string> selected;
    std::size_t counted = 0;
    for (const auto& p : record.participations) {
      if (!selected.insert(p.client).second) return place + p.client + " is recorded twice";
      if (p.outcome == server::Outcome::counted) ++counted;
      else if (p.reason.empty()) return place + p.client + " is lost without a reason";
    }
    // Rounded to the nearest number of clients.
    if (static_cast<double>(counted) <
        world.options.quorum * static_cast<double>(selected.size()) - 0.5 - 1e-9)
      return place + "committed below the quorum";
  }
  return {};
}

}  // namespace hansa::testing
