// Devices with a real SQLite state, in federations where both sides crash between any two effects. Afterwards a
// device's state is what its counted updates made of it, with each update applied once.
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "client/state/state_ledger.h"
#include "protocols/codecs/plan.h"
#include "tests/client_state/arrivals.h"
#include "tests/simulation/client_updates.h"
#include "tests/simulation/world.h"
#include "tests/temporary_folder.h"

namespace hansa::testing {
namespace {

constexpr std::uint64_t replay_max = 4;
constexpr const char* log_name = "log";

// A device: its disk, and the store that the running process has opened on it.
struct Device {
  std::filesystem::path folder;
  std::shared_ptr<client::StateStore> store;
  std::int64_t arrived = 0;
};

std::vector<float> delta_of(std::uint64_t seed, std::size_t size) {
  std::vector<float> out(size), zero(size);
  FakeTrainer::compute(seed, zero, out);
  return out;
}

// Trains on the new examples in the device's state. Its personal layers are a log of its trainings, with two values for
// each: the round and the number of new examples.
class LoggingTrainer final : public learning::Trainer {
 public:
  LoggingTrainer(Device& device, std::function<RoundId(std::uint64_t seed)> round_of)
      : device_(device), round_of_(std::move(round_of)) {}

  Result<learning::AvailableData> available_data(std::stop_token /*stop*/) override {
    HANSA_TRY(const auto counts, device_.store->counts());
    return learning::AvailableData{counts.available() + 1, counts.fresh, {}};
  }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token) override {
    const std::span<float> delta = outputs.front().values;
    constexpr std::size_t arriving = 3;
    HANSA_TRY_VOID(device_.store->add(client::testing::arrival_of(device_.arrived, arriving)));
    device_.arrived += arriving;
    HANSA_TRY(const auto snapshot, device_.store->snapshot(request.task));
    const auto trained = delta_of(request.seed, delta.size());
    std::copy(trained.begin(), trained.end(), delta.begin());
    learning::TrainingResult result;
    result.examples = snapshot.examples.count();
    result.new_examples = snapshot.fresh;
    result.data_mark = snapshot.mark;
    result.metrics = {{"loss", 1.0, static_cast<double>(result.examples)}};
    result.kept = request.kept;
    std::vector<float> log = result.kept[log_name].values();
    log.push_back(static_cast<float>(round_of_(request.seed).value));
    log.push_back(static_cast<float>(snapshot.fresh));
    result.kept.insert_or_assign(log_name, learning::KeptVector({}, std::move(log)));
    return result;
  }

 private:
  Device& device_;
  std::function<RoundId(std::uint64_t)> round_of_;
};

struct Devices {
  explicit Devices(World& w) : world(w) {
    world.options.equip = [this](simulation::ClientSetup& setup) { equip(setup); };
  }

  void equip(simulation::ClientSetup& setup) {
    Device& device = devices[setup.name];
    device.folder = folder / setup.name;
    setup.open_ledger = [&device]() -> Result<std::shared_ptr<client::DeviceLedger>> {
      device.store.reset();
      HANSA_TRY(device.store, client::StateStore::open(device.folder));
      return std::make_shared<client::StateLedger>(device.store, client::ApplyOptions{replay_max});
    };
    setup.trainer = std::make_shared<LoggingTrainer>(device, [this, name = setup.name](std::uint64_t seed) {
      RoundId round(1);
      while (training_seed(world, {round}, name) != seed) ++round.value;
      return round;
    });
  }

  // Returns an empty string if the device's state is consistent, or else the difference.
  [[nodiscard]] std::string check(const std::string& name, Device& device) const {
    constexpr TaskId another{1};
    const auto training = device.store->find(another, "training/" + world.disk->identity->archive.hex());
    const auto codec = device.store->find(another, "codec");
    const auto counts = device.store->counts();
    const auto consumed = device.store->consumed();
    if (!training || !codec || !counts || !consumed) return "cannot be read";
    if (training->empty()) return counts->trained == 0 && codec->empty() ? "" : "kept a part of an update";
    const std::vector<float>& log = training->at(log_name).values();
    std::uint64_t trained = 0;
    std::vector<float> residual;
    std::set<RoundId> logged;
    for (std::size_t i = 0; i < log.size(); i += 2) {
      const RoundId round(static_cast<std::uint32_t>(log[i]));
      logged.insert(round);
      if (i > 0 && log[i] <= log[i - 2]) return "trained personal layers twice for one update";
      trained += static_cast<std::uint64_t>(log[i + 1]);
      auto sent = send(*world.compression.uplink,
                       delta_of(training_seed(world, {round}, name), world.options.elements), residual,
                       seeds_of(world, round, name), 64.0F);
      residual = std::move(sent.kept);
      // If the committed round counts an update of the device, it is this one.
      for (const auto& record : world.disk->rounds)
        for (const auto& p : record.participations)
          if (record.round == round && p.client == name && p.outcome == server::Outcome::counted &&
              p.update != checksum(std::span<const std::byte>(sent.bytes)))
            return "sent another update for round " + std::to_string(round.value);
    }
    if (codec->at("residual").values() != residual) return "kept the residual of another update";
    const std::uint64_t arrived = consumed->empty() ? 0 : consumed->at(0).examples;
    if (counts->trained + counts->fresh != arrived) return "lost or doubled an example";
    if (trained != counts->trained)
      return "was trained as new on other examples than those that count as trained";
    if (world.options.network.lose > 0) return {};
    // When the simulation ends, the last Receipt may be on its way, or the device not started again.
    std::vector<RoundId> counted;
    for (const auto& record : world.disk->rounds)
      for (const auto& p : record.participations)
        if (p.client == name && p.outcome == server::Outcome::counted) counted.push_back(record.round);
    for (std::size_t i = 0; i + 1 < counted.size(); ++i)
      if (!logged.contains(counted[i]))
        return "lost what its update of round " + std::to_string(counted[i].value) + " changed";
    return {};
  }

  World& world;
  TemporaryFolder folder;
  std::map<std::string, Device> devices;
};

World device_world(std::uint64_t seed) {
  World world;
  Random random(derive_seed(seed, "device world"));
  auto& o = world.options;
  o.seed = seed;
  o.clients = 3;
  o.clients_min = 2;
  o.rounds = 5;
  o.elements = 300;
  o.uplink = "topk(0.1, q4)";
  o.crashes.aggregator_per_effect = 0.01 * random.uniform();
  o.crashes.client_per_effect = 0.02 * random.uniform();
  o.crashes.crashes_max = 30;
  o.network.cut = 0.01 * random.uniform();
  // ZeroMQ loses messages only with their connection. Without a Receipt that was lost alone a device learns nothing.
  o.network.lose = seed % 2 == 0 ? 0.02 * random.uniform() : 0;
  return world;
}

TEST(DeviceCrash, WithoutFaultsEveryRoundIsInTheDevicesLog) {
  World world = device_world(1);
  world.options.crashes = {};
  world.options.network = {};
  Devices devices(world);
  world.run();
  ASSERT_TRUE(world.outcome) << world.outcome.error().text();
  for (auto& [name, device] : devices.devices) {
    EXPECT_EQ(devices.check(name, device), "") << name;
    const auto counts = device.store->counts();
    // The simulation ends with the last commit, before all receipts have arrived.
    EXPECT_GE(counts->trained, 3U * (world.options.rounds - 1));
    EXPECT_EQ(counts->replay, replay_max);
  }
}

TEST(DeviceCrash, AnUpdateIsAppliedOnceAndCompletelyWhereverEitherSideCrashes) {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    World world = device_world(seed);
    Devices devices(world);
    world.run();
    ASSERT_TRUE(world.outcome) << world.outcome.error().text();
    EXPECT_EQ(world.outcome->last_committed.value, world.options.rounds);
    crashes += world.outcome->crashes;
    for (auto& [name, device] : devices.devices)
      EXPECT_EQ(devices.check(name, device), "") << name << ", seed " << seed;
  }
  EXPECT_GT(crashes, 60U) << "faults must have happened";
}

}  // namespace
}  // namespace hansa::testing
