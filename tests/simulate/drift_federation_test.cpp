// Whole federations with FedProx, SCAFFOLD, FedNova and FedDyn: real trainers, the aggregator's engine and a run on disk,
// against the papers' algorithms in double precision.
#include <atomic>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "common/files.h"
#include "learning/model_archive.h"
#include "server/config/federation_config.h"
#include "server/store/run_catalogue.h"
#include "simulation/simulate.h"
#include "tests/learning/single_example.h"
#include "tests/temporary_folder.h"

namespace hansa::simulation {
namespace {

using learning::testing::accumulated;
using learning::testing::Doubles;
using learning::testing::PlainSgd;
using learning::testing::SingleExample;

constexpr std::size_t inputs = 2, classes = 3, elements = (inputs + 1) * classes;
constexpr std::size_t batch = 10, epochs = 4;
constexpr double learning_rate = 0.1;

// Each client has one class, and its own number of examples: from 1 to 8 steps in an epoch.
std::vector<SingleExample> sites() {
  std::vector<SingleExample> out;
  for (std::size_t i = 0; i < 6; ++i) {
    const double angle = static_cast<double>(i);
    out.push_back({{2 * std::cos(angle), 2 * std::sin(angle)}, i % classes, 5 + 14 * i});
  }
  return out;
}

struct Found {
  std::vector<float> model, state;  // after the last round
  std::vector<server::RoundRecord> rounds;
  Digest digest;
};

class DriftFederation : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(learning::create_built_in("logistic", 3, folder_ / "model.pt", {inputs, classes}));
    initial_ = learning::describe_archive(folder_ / "model.pt")->parameters;
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const std::string name = name_of(i);
      ASSERT_TRUE(write_file_atomically(folder_ / (name + ".csv"), sites_[i].csv()));
      ASSERT_TRUE(write_file_atomically(
          folder_ / (name + ".client.toml"),
          "[client]\nfederation = \"drift\"\nname = \"" + name + "\"\nkey = \"" + name +
              ".key\"\nstate = \"" + name +
              "-state\"\n[aggregator]\naddress = \"tcp://127.0.0.1:1\"\npublic_key = "
              "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n[secure_aggregation]\nroot = \"" +
              std::string(64, 'a') + "\"\n[data]\nkind = \"csv\"\nfile = \"" + name +
              ".csv\"\nlabel = \"y\"\nscale = \"none\"\n"));
    }
  }
  static std::string name_of(std::size_t site) { return "site-" + std::to_string(site); }
  static std::size_t site_of(const std::string& name) { return std::stoul(name.substr(5)); }

  // strategy: lines of [strategy]; more: further tables.
  Result<Found> simulate(const std::string& strategy, int rounds, const std::string& more) {
    HANSA_TRY_VOID(write_file_atomically(
        folder_ / "federation.toml",
        "[federation]\nname = \"drift\"\nrounds = " + std::to_string(rounds) +
            "\n[aggregator]\nkey = \"k\"\nadmitted = \"a\"\nruns = \"runs\"\n[model]\narchive = "
            "\"model.pt\"\n"
            "[simulation]\nclients = \"*.client.toml\"\n[training]\nbatch_size = 10\nepochs = 4\n"
            "learning_rate = 0.1\nmomentum = " +
            std::to_string(momentum_) + "\nweight_decay = " + std::to_string(decay_) + "\n[compression]\n" +
            compression_ + "[limits]\nnorm_ratio_max = 1000\n[strategy]\n" + strategy + more));
    HANSA_TRY(const auto config, server::read_federation_config(folder_ / "federation.toml"));
    const std::atomic<bool> stop{false};
    SimulateOptions options;
    options.threads = 1;
    Found out;
    HANSA_TRY(
        const auto outcome,
        run_simulation(
            config, options,
            [&](const server::RoundRecord& record, const Metrics&) { out.rounds.push_back(record); }, stop));
    out.digest = outcome.model;
    HANSA_TRY(const auto run, server::open_run_read_only(outcome.run_folder));
    out.model.resize(elements);
    HANSA_TRY_VOID(run->get_model(out.rounds.back().model, out.model));
    if (out.rounds.back().state.empty()) return out;
    out.state.resize(elements);
    HANSA_TRY_VOID(run->get_model(out.rounds.back().state.front().vector, out.state));
    return out;
  }
  [[nodiscard]] PlainSgd sgd_of(std::size_t site) const {
    const std::size_t steps = (sites_[site].copies + batch - 1) / batch * epochs;
    return {.learning_rate = learning_rate, .momentum = momentum_, .weight_decay = decay_, .steps = steps};
  }
  [[nodiscard]] Doubles start() const { return {initial_.begin(), initial_.end()}; }
  static std::vector<std::size_t> counted(const server::RoundRecord& record) {
    std::vector<std::size_t> out;
    for (const auto& participation : record.participations)
      if (participation.outcome == server::Outcome::counted) out.push_back(site_of(participation.client));
    return out;
  }
  static void expect_near(const std::vector<float>& found, const Doubles& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2e-4) << i;
  }
  double examples_of(const std::vector<std::size_t>& cohort) const {
    double out = 0;
    for (const std::size_t site : cohort) out += static_cast<double>(sites_[site].copies);
    return out;
  }

  static constexpr const char* sampled = "[cohort]\nclients_min = 2\nfraction = 0.5\nsize_max = 3\n";
  static constexpr const char* everyone = "[cohort]\nclients_min = 6\nquorum = 1.0\n";
  static constexpr const char* secure =
      "[cohort]\nclients_min = 6\nquorum = 1.0\n[secure_aggregation]\nenabled = true\nvalue_bits = 16\nroot "
      "= "
      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n";
  const TemporaryFolder folder_;
  const std::vector<SingleExample> sites_ = sites();
  std::vector<float> initial_;
  std::string compression_ = "uplink = \"f32\"\ndownlink = \"f32\"\n";
  double momentum_ = 0.5;
  double decay_ = 0.01;
};

const auto nothing = [](const auto&...) {};

// Algorithm 1 of SCAFFOLD, with the participations of the run.
struct ScaffoldState {
  Doubles x, c;
  std::map<std::size_t, Doubles> own;
};

TEST_F(DriftFederation, ScaffoldIsTheAlgorithmOfThePaperAlsoIfRoundsAreOfASample) {
  const auto found = simulate("method = \"scaffold\"\n", 12, sampled);
  ASSERT_TRUE(found) << found.error().text();
  ScaffoldState s{start(), Doubles(elements), {}};
  for (std::size_t i = 0; i < sites_.size(); ++i) s.own[i] = Doubles(elements);
  std::size_t unused = 0;
  for (const auto& record : found->rounds) {
    const auto cohort = counted(record);
    ASSERT_LE(cohort.size(), 3U);
    unused += sites_.size() - cohort.size();
    Doubles x = s.x, c = s.c;
    for (const std::size_t site : cohort) {
      Doubles& own = s.own[site];
      const PlainSgd sgd = sgd_of(site);
      const auto correct = [&](const Doubles&, Doubles& g) {
        for (std::size_t i = 0; i < elements; ++i) g[i] += s.c[i] - own[i];
      };
      const Doubles y = learning::testing::descend(sites_[site], s.x, sgd, correct, nothing);
      const double weight = static_cast<double>(sites_[site].copies) / examples_of(cohort);
      for (std::size_t i = 0; i < elements; ++i) {
        const double next = own[i] - s.c[i] + (s.x[i] - y[i]) / (accumulated(sgd) * learning_rate);
        x[i] += weight * (y[i] - s.x[i]);
        c[i] += (next - own[i]) / static_cast<double>(sites_.size());
        own[i] = next;
      }
    }
    s.x = x;
    s.c = c;
  }
  EXPECT_GT(unused, 0U);
  expect_near(found->model, s.x);
  EXPECT_EQ(found->rounds.back().state.front().name, "scaffold.control");
  expect_near(found->state, s.c);
  // The server's variate is the mean of all clients' variates, of those that took no part in the last round too.
  Doubles mean(elements);
  for (const auto& [site, own] : s.own)
    for (std::size_t i = 0; i < elements; ++i) mean[i] += own[i] / static_cast<double>(sites_.size());
  expect_near(found->state, mean);
}

TEST_F(DriftFederation, FedDynIsTheAlgorithmOfThePaperAlsoIfRoundsAreOfASample) {
  constexpr double alpha = 0.5;
  const auto found = simulate("method = \"feddyn\"\n[strategy.feddyn]\nalpha = 0.5\n", 12, sampled);
  ASSERT_TRUE(found) << found.error().text();
  Doubles x = start(), h(elements);
  std::map<std::size_t, Doubles> gradients;
  for (std::size_t i = 0; i < sites_.size(); ++i) gradients[i] = Doubles(elements);
  for (const auto& record : found->rounds) {
    const auto cohort = counted(record);
    Doubles mean(elements);
    for (const std::size_t site : cohort) {
      Doubles& own = gradients[site];
      const auto correct = [&](const Doubles& w, Doubles& g) {
        for (std::size_t i = 0; i < elements; ++i) g[i] += -own[i] + alpha * (w[i] - x[i]);
      };
      const Doubles y = learning::testing::descend(sites_[site], x, sgd_of(site), correct, nothing);
      const double weight = static_cast<double>(sites_[site].copies) / examples_of(cohort);
      for (std::size_t i = 0; i < elements; ++i) {
        mean[i] += weight * (y[i] - x[i]);
        own[i] -= alpha * (y[i] - x[i]);
      }
    }
    const double part = static_cast<double>(cohort.size()) / static_cast<double>(sites_.size());
    for (std::size_t i = 0; i < elements; ++i) {
      h[i] -= alpha * part * mean[i];
      x[i] += mean[i] - h[i] / alpha;
    }
  }
  expect_near(found->model, x);
  EXPECT_EQ(found->rounds.back().state.front().name, "feddyn.drift");
  for (double& value : h) value /= -alpha;
  expect_near(found->state, h);
}

TEST_F(DriftFederation, FedNovaIsEquationSixWithClientsOfDifferentNumbersOfSteps) {
  const auto found = simulate("method = \"fednova\"\n", 6, sampled);
  ASSERT_TRUE(found) << found.error().text();
  Doubles x = start();
  for (const auto& record : found->rounds) {
    const auto cohort = counted(record);
    double steps = 0;
    Doubles direction(elements);
    for (const std::size_t site : cohort) {
      const PlainSgd sgd = sgd_of(site);
      const Doubles y = learning::testing::descend(sites_[site], x, sgd, nothing, nothing);
      const double weight = static_cast<double>(sites_[site].copies) / examples_of(cohort);
      steps += weight * accumulated(sgd);
      for (std::size_t i = 0; i < elements; ++i) direction[i] += weight * (y[i] - x[i]) / accumulated(sgd);
    }
    for (std::size_t i = 0; i < elements; ++i) x[i] += steps * direction[i];
  }
  expect_near(found->model, x);
}

TEST_F(DriftFederation, FedNovaWithEqualStepsIsFedAvgBitForBit) {
  const std::string more = std::string(sampled) + "[training.schedule]\nkind = \"step\"\nevery = 2\n";
  const auto with_steps = [&](const std::string& method) {
    const auto found = simulate(method + "\n", 5, more);
    EXPECT_TRUE(found) << found.error().text();
    return found ? found->digest : Digest{};
  };
  EXPECT_NE(with_steps("method = \"fednova\""), with_steps("method = \"sgd\"")) << "their steps differ";
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    SingleExample same = sites_[i];
    same.copies = 51 + i % 4;  // six steps in an epoch; a number rounded to a power of two would have seven
    ASSERT_TRUE(write_file_atomically(folder_ / (name_of(i) + ".csv"), same.csv()));
  }
  EXPECT_EQ(with_steps("method = \"fednova\""), with_steps("method = \"sgd\""));
}

TEST_F(DriftFederation, FedProxWithoutItsTermIsFedAvgBitForBit) {
  const auto sgd = simulate("method = \"sgd\"\n", 3, sampled);
  const auto without = simulate("method = \"fedprox\"\n[strategy.fedprox]\nmu = 0\n", 3, sampled);
  const auto with = simulate("method = \"fedprox\"\n[strategy.fedprox]\nmu = 1\n", 3, sampled);
  ASSERT_TRUE(sgd && without && with);
  EXPECT_EQ(sgd->digest, without->digest);
  EXPECT_NE(sgd->digest, with->digest);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(static_cast<double>(a[i] - b[i]), 2);
  return std::sqrt(squares);
}

// A secure sum rounds the variates and the metric of FedNova, and shows no single update.
TEST_F(DriftFederation, ASecureRunEndsNearThePlainOne) {
  for (const char* method : {"fedprox", "scaffold", "fednova", "feddyn"}) {
    SCOPED_TRACE(method);
    const std::string strategy = std::string("method = \"") + method + "\"\n";
    const auto summed = simulate(strategy, 6, secure);
    const auto plain = simulate(strategy, 6, everyone);
    ASSERT_TRUE(plain) << plain.error().text();
    ASSERT_TRUE(summed) << summed.error().text();
    ASSERT_TRUE(summed->rounds.back().secure);
    EXPECT_LT(distance(plain->model, summed->model), 0.05 * distance(plain->model, initial_));
    ASSERT_EQ(plain->state.size(), summed->state.size());
    const std::vector<float> zero(plain->state.size());
    EXPECT_LE(distance(plain->state, summed->state), 0.05 * distance(plain->state, zero));
  }
}

// The codec of the delta, with which a sum would lose most of the variates' changes, is not that of the variates.
TEST_F(DriftFederation, VariatesAreNotSentWithTheCoarseCodecOfTheDelta) {
  const std::string strategy = "method = \"scaffold\"\n";
  const auto exact = simulate(strategy, 1, everyone);
  compression_ = "uplink = \"q1-rotated\"\ndownlink = \"f32\"\n";
  const auto coarse = simulate(strategy, 1, everyone);
  ASSERT_TRUE(exact && coarse);
  const std::vector<float> zero(elements);
  EXPECT_GT(distance(exact->model, coarse->model), 0.05 * distance(exact->model, initial_));
  EXPECT_LT(distance(exact->state, coarse->state), 0.01 * distance(exact->state, zero));
}

// The loss over all data has one minimum, because weights decay. Local training with different data leads elsewhere, and the
// control variates take the difference away.
TEST_F(DriftFederation, ScaffoldReachesTheMinimumOfAllDataAndFedAvgDoesNot) {
  momentum_ = 0;
  decay_ = 0.1;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    SingleExample same = sites_[i];
    same.copies = 30;  // the same weight for all
    ASSERT_TRUE(write_file_atomically(folder_ / (name_of(i) + ".csv"), same.csv()));
  }
  Doubles best = start();
  for (int step = 0; step < 5'000; ++step) {
    Doubles g(elements);
    for (const SingleExample& site : sites_) {
      const Doubles own = site.gradient(best);
      for (std::size_t i = 0; i < elements; ++i) g[i] += own[i] / static_cast<double>(sites_.size());
    }
    for (std::size_t i = 0; i < elements; ++i) best[i] -= 0.1 * (g[i] + decay_ * best[i]);
  }
  const auto distance_of = [&](const std::string& method) {
    const auto found = simulate("method = \"" + method + "\"\n", 60, everyone);
    EXPECT_TRUE(found) << found.error().text();
    double squares = 0;
    for (std::size_t i = 0; found && i < elements; ++i)
      squares += std::pow(static_cast<double>(found->model[i]) - best[i], 2);
    return std::sqrt(squares);
  };
  const double by_fedavg = distance_of("sgd"), by_scaffold = distance_of("scaffold");
  RecordProperty("fedavg", std::to_string(by_fedavg));
  RecordProperty("scaffold", std::to_string(by_scaffold));
  EXPECT_LT(by_scaffold, by_fedavg / 5) << by_fedavg;
}

}  // namespace
}  // namespace hansa::simulation
