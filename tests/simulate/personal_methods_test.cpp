// Federations in which each device has a model of its own: their clients disagree about the labels, so that no global model
// suits them all. With real trainers, with and without secure aggregation.
#include <gmock/gmock.h>

#include "common/files.h"
#include "common/random.h"
#include "server/config/federation_config.h"
#include "server/store/held_out.h"
#include "server/store/run_catalogue.h"
#include "simulation/simulate.h"
#include "tests/learning/method_archives.h"
#include "tests/temporary_folder.h"

namespace hansa::simulation {
namespace {

constexpr int clients = 6;
constexpr std::uint32_t rounds = 5;

enum class Sums : std::uint8_t { visible, secure };

class PersonalMethodsFederation : public ::testing::Test {
 protected:
  PersonalMethodsFederation() {
    Random random(5);
    for (int c = 0; c < clients; ++c) {
      std::string rows = "a,b,c,d,y\n";
      for (int i = 0; i < 60; ++i) {
        const int kind = (i + c) % 3;
        for (int column = 0; column < 4; ++column)
          rows += std::to_string((column == kind ? 2 : 0) + 0.3 * random.uniform()) + ",";
        // The same inputs have another class on every second client.
        rows += std::to_string((kind + c % 2) % 3) + "\n";
      }
      write_client(c, rows);
    }
  }
  void write_client(int number, const std::string& rows) {
    const std::string name = "site-" + std::to_string(number);
    ASSERT_TRUE(write_file_atomically(folder_ / (name + ".csv"), rows));
    ASSERT_TRUE(write_file_atomically(
        folder_ / (name + ".client.toml"),
        "[client]\nfederation = \"sites\"\nname = \"" + name + "\"\nkey = \"" + name + ".key\"\nstate = \"" +
            name +
            "-state\"\n[aggregator]\naddress = \"tcp://127.0.0.1:1\"\npublic_key = "
            "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n[secure_aggregation]\nroot = \"" +
            std::string(64, 'a') + "\"\n[data]\nkind = \"csv\"\nfile = \"" + name +
            ".csv\"\nlabel = \"y\"\n"));
  }
  // The rounds of a run of the federation with this strategy.
  std::vector<server::RoundRecord> simulate(const std::string& strategy, const std::string& of_model,
                                            Sums sums) {
    std::string text =
        "[federation]\nname = \"sites\"\nrounds = " + std::to_string(rounds) +
        "\n[aggregator]\nkey = \"k\"\nadmitted = \"a\"\nruns = \"runs\"\n[model]\narchive = \"model.pt\"\n" +
        of_model +
        "[simulation]\nclients = \"*.client.toml\"\n[cohort]\nclients_min = 6\n[training]\nepochs = 5\n"
        "batch_size = 16\nlearning_rate = 0.3\n[evaluation]\non_clients = { fraction = 0.25 }\n" +
        strategy;
    if (sums == Sums::secure)
      text += "[secure_aggregation]\nenabled = true\nroot = \"" + std::string(64, 'a') + "\"\n";
    EXPECT_TRUE(write_file_atomically(folder_ / "federation.toml", text));
    const auto config = server::read_federation_config(folder_ / "federation.toml");
    EXPECT_TRUE(config) << config.error().text();
    if (!config) return {};
    const std::atomic<bool> stop{false};
    std::vector<server::RoundRecord> out;
    SimulateOptions options;
    options.threads = 1;
    const auto keep = [&](const server::RoundRecord& round, const auto&) { out.push_back(round); };
    const auto done = run_simulation(*config, options, keep, stop);
    EXPECT_TRUE(done) << done.error().text();
    EXPECT_EQ(out.size(), rounds);
    return out;
  }
  static double mean(const server::HeldOut& measured, const std::string& name) {
    const auto found = std::ranges::find(measured.metrics, name, &server::HeldOutMetric::name);
    EXPECT_NE(found, measured.metrics.end()) << name;
    return found == measured.metrics.end() ? -1 : found->total.sum / found->total.count;
  }
  // The personal models become better than the global one, and the aggregator sees how they are distributed.
  void expect_better_personal_models(const std::string& strategy, const std::string& of_model = "") {
    std::vector<double> losses;
    for (const Sums sums : {Sums::visible, Sums::secure}) {
      const auto run = simulate(strategy, of_model, sums);
      ASSERT_EQ(run.size(), rounds);
      const auto measured = server::held_out(run.back());
      ASSERT_TRUE(measured);
      ASSERT_EQ(measured->metrics.size(), 4U);
      for (const server::HeldOutMetric& metric : measured->metrics) {
        EXPECT_EQ(metric.clients, clients) << metric.name;
        ASSERT_TRUE(metric.spread) << metric.name;
        EXPECT_TRUE(metric.spread->worst_tenth) << metric.name;
      }
      EXPECT_LT(mean(*measured, "personal loss"), 0.8 * mean(*measured, "loss"));
      EXPECT_GT(mean(*measured, "personal accuracy"), mean(*measured, "accuracy"));
      losses.push_back(mean(*measured, "personal loss"));
      if (sums == Sums::visible) continue;
      for (const auto& participation : run.back().participations) EXPECT_TRUE(participation.metrics.empty());
    }
    EXPECT_NEAR(losses[0], losses[1], 0.1 * losses[0]) << "a secure sum rounds values and weights";
  }

  const TemporaryFolder folder_;
};

TEST_F(PersonalMethodsFederation, Ditto) {
  learning::testing::write_two_layers(folder_ / "model.pt", {.hidden = 8});
  expect_better_personal_models("[strategy]\nmethod = \"ditto\"\n[strategy.ditto]\nlambda = 0.1\n");
}

TEST_F(PersonalMethodsFederation, FedRep) {
  learning::testing::write_two_layers(folder_ / "model.pt", {.hidden = 8});
  expect_better_personal_models("[strategy]\nmethod = \"fedrep\"\n[strategy.fedrep]\nhead_epochs = 4\n",
                                "personal = \"head.*\"\n");
}

TEST_F(PersonalMethodsFederation, FedPer) {
  learning::testing::write_two_layers(folder_ / "model.pt", {.hidden = 8});
  expect_better_personal_models("[strategy]\nmethod = \"fedper\"\n", "personal = \"head.*\"\n");
}

TEST_F(PersonalMethodsFederation, FedBn) {
  learning::testing::write_normalising(folder_ / "model.pt");
  for (const Sums sums : {Sums::visible, Sums::secure}) {
    const auto run = simulate("[strategy]\nmethod = \"fedbn\"\n", "", sums);
    ASSERT_EQ(run.size(), rounds);
    const auto first = server::held_out(run[1]), last = server::held_out(run.back());
    ASSERT_TRUE(first && last);
    EXPECT_LT(mean(*last, "personal loss"), mean(*last, "loss"));
    EXPECT_LT(mean(*last, "personal loss"), mean(*first, "personal loss"));
  }
}

// Its device keeps a model, which is not one that it uses: nothing personal is measured.
TEST_F(PersonalMethodsFederation, MoonHasNoPersonalModel) {
  learning::testing::write_two_layers(folder_ / "model.pt", {.hidden = 8, .has_representation = true});
  const std::string strategy = "[strategy]\nmethod = \"moon\"\n[strategy.moon]\nmu = 5\n";
  const auto plain = simulate("[strategy]\nmethod = \"sgd\"\n", "", Sums::visible);
  for (const Sums sums : {Sums::visible, Sums::secure}) {
    const auto run = simulate(strategy, "", sums);
    ASSERT_EQ(run.size(), rounds);
    const auto measured = server::held_out(run.back());
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->metrics.size(), 2U);
    if (sums == Sums::secure) continue;
    EXPECT_EQ(run[0].model, plain[0].model) << "no device has an earlier model";
    EXPECT_NE(run[1].model, plain[1].model);
  }
}

}  // namespace
}  // namespace hansa::simulation
