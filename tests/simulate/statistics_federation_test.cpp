// Federations of clients whose data has very different ranges: the statistics that they compute together are those of the
// pooled data, and they train with them.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>

#include "common/column_statistics.h"
#include "common/files.h"
#include "common/random.h"
#include "client/config/client_config.h"
#include "learning/data/column_sums.h"
#include "learning/data_supply.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "server/config/federation_config.h"
#include "server/setup/statistics_round.h"
#include "server/store/run_catalogue.h"
#include "server/store/run_statistics.h"
#include "simulation/federation.h"
#include "simulation/identities.h"
#include "simulation/simulate.h"
#include "tests/temporary_folder.h"

namespace hansa::simulation {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t columns = 3;

struct Pooled {
  std::vector<std::vector<float>> values = std::vector<std::vector<float>>(columns);

  [[nodiscard]] long double mean(std::size_t column) const {
    long double sum = 0;
    for (const float value : values[column]) sum += value;
    return sum / static_cast<long double>(values[column].size());
  }
  [[nodiscard]] long double deviation(std::size_t column) const {
    const long double centre = mean(column);
    long double squares = 0;
    for (const float value : values[column]) squares += (value - centre) * (value - centre);
    return std::sqrt(squares / static_cast<long double>(values[column].size()));
  }
};

class StatisticsFederation : public ::testing::Test {
 protected:
  StatisticsFederation() {
    EXPECT_TRUE(learning::create_built_in("logistic", 3, folder_ / "model.pt", {columns, 2}));
    write_federation("[statistics]\ncolumns = 3\n");
  }
  void write_federation(const std::string& more) {
    ASSERT_TRUE(
        write_file_atomically(folder_ / "federation.toml",
                              "[federation]\nname = \"clinics\"\nrounds = 2\n[aggregator]\nkey = "
                              "\"k\"\nadmitted = \"a\"\nruns = \"runs\"\n"
                              "[model]\narchive = \"model.pt\"\n[simulation]\nclients = \"*.client.toml\"\n" +
                                  more));
  }
  // The ranges differ by a factor of 100 from one client to the next, and so do the numbers of rows.
  void write_clients(int count, const std::string& scale = "federation") {
    Random random(5);
    for (int c = 0; c < count; ++c) {
      const double range = std::pow(100.0, c % 5 - 2);
      std::string rows = "a,b,c,y\n";
      for (int i = 0; i < 20 + 10 * c; ++i) {
        const float row[columns] = {static_cast<float>((random.uniform() - 0.5) * range),
                                    static_cast<float>(1'000'000 + random.uniform() * range),
                                    static_cast<float>(7 + c)};
        for (std::size_t column = 0; column < columns; ++column) {
          pooled_.values[column].push_back(row[column]);
          char text[32];
          std::snprintf(text, sizeof text, "%.9g,", static_cast<double>(row[column]));
          rows += text;
        }
        rows += std::to_string(i % 2) + "\n";
      }
      write_client(c, rows, scale);
    }
  }
  void write_client(int number, const std::string& rows, const std::string& scale) {
    const std::string name = "clinic-" + std::to_string(number);
    ASSERT_TRUE(write_file_atomically(folder_ / (name + ".csv"), rows));
    ASSERT_TRUE(write_file_atomically(
        folder_ / (name + ".client.toml"),
        "[client]\nfederation = \"clinics\"\nname = \"" + name + "\"\nkey = \"" + name +
            ".key\"\nstate = \"" + name +
            "-state\"\n[aggregator]\naddress = \"tcp://127.0.0.1:1\"\npublic_key = "
            "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n[secure_aggregation]\nroot = \"" +
            std::string(64, 'a') + "\"\n[data]\nkind = \"csv\"\nfile = \"" + name +
            ".csv\"\nlabel = \"y\"\nscale = \"" + scale + "\"\n"));
  }
  Result<SimulateOutcome> simulate() {
    HANSA_TRY(auto config, server::read_federation_config(folder_ / "federation.toml"));
    const std::atomic<bool> stop{false};
    SimulateOptions options;
    options.threads = 1;
    return run_simulation(
        config, options, [](const auto&, const auto&) {}, stop);
  }
  void expect_pooled(const ColumnStatistics& found) const {
    ASSERT_EQ(found.columns(), columns);
    for (std::size_t column = 0; column < columns; ++column) {
      const long double mean = pooled_.mean(column), deviation = pooled_.deviation(column);
      EXPECT_LE(std::abs(found.means[column] - mean), 1e-12L * std::abs(mean)) << column;
      EXPECT_LE(std::abs(found.deviations[column] - deviation), 1e-12L * deviation) << column;
    }
  }
  void expect_pooled_statistics(const SimulateOutcome& outcome) const {
    const auto run = server::open_run_read_only(outcome.run_folder);
    ASSERT_TRUE(run) << run.error().text();
    const auto kept = server::read_statistics(**run);
    ASSERT_TRUE(kept && *kept) << outcome.run_folder;
    const auto found = statistics_of_vector((*kept)->vector);
    ASSERT_TRUE(found);
    expect_pooled(*found);
    // What a restart, and `hansa verify`, would say of the run.
    const auto checked = (*run)->verify();
    ASSERT_TRUE(checked);
    EXPECT_TRUE(checked->problems.empty()) << checked->problems.front();
    EXPECT_TRUE((*run)->check_newest());
  }

  static constexpr const char* secure =
      "[cohort]\nclients_min = 4\n[secure_aggregation]\nenabled = true\nroot = "
      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n";
  const TemporaryFolder folder_;
  Pooled pooled_;
};

TEST_F(StatisticsFederation, AreThoseOfThePooledData) {
  write_clients(5);
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->last_committed, RoundId(2));
  expect_pooled_statistics(*outcome);
}

TEST_F(StatisticsFederation, AreExactInASecureSum) {
  write_federation(std::string("[statistics]\ncolumns = 3\n") + secure);
  write_clients(6);
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_EQ(outcome->last_committed, RoundId(2));
  expect_pooled_statistics(*outcome);
}

// 40 clients: a random graph of neighbours.
TEST_F(StatisticsFederation, AreExactInASecureSumOfManyClients) {
  write_federation(std::string("[statistics]\ncolumns = 3\n") + secure);
  write_clients(40);
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  expect_pooled_statistics(*outcome);
}

TEST_F(StatisticsFederation, AreOfAllClientsAlsoIfRoundsAreOfASample) {
  write_federation("[statistics]\ncolumns = 3\n[cohort]\nfraction = 0.4\nsize_max = 2\n");
  write_clients(5);
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  expect_pooled_statistics(*outcome);
}

// Its sums are left out, and the rounds count it: its data differs, and its own log says so.
TEST_F(StatisticsFederation, AClientWithOtherColumnsTakesNoPart) {
  write_clients(5);
  write_client(5, "a,b,y\n1,2,0\n3,4,1\n", "federation");
  write_federation("[statistics]\ncolumns = 3\n[cohort]\nquorum = 0.5\n");
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  expect_pooled_statistics(*outcome);
}

TEST_F(StatisticsFederation, AClientThatDoesNotScaleByThemIsNotInTheSums) {
  write_clients(5);
  write_client(5, "a,b,c,y\n1e30,2,3,0\n4,5,6,1\n", "standard");
  write_federation("[statistics]\ncolumns = 3\n[cohort]\nquorum = 0.5\n");
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  expect_pooled_statistics(*outcome);
}

TEST_F(StatisticsFederation, WithAWrongNumberOfColumnsNoRunBegins) {
  write_clients(3);
  write_federation("[statistics]\ncolumns = 4\n[cohort]\nwait_s = 20\n");
  const auto outcome = simulate();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::quorum);
}

TEST_F(StatisticsFederation, WithoutThemClientsThatNeedThemDoNotTrain) {
  write_clients(3);
  write_federation("[cohort]\nwait_s = 20\n");
  const auto outcome = simulate();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::quorum);
}

TEST_F(StatisticsFederation, TheAggregatorsOwnEvaluationUsesThem) {
  write_clients(5);
  // Of clinic-2, whose range is 1.
  write_federation(
      "[statistics]\ncolumns = 3\n[evaluation]\nkind = \"csv\"\nfile = \"clinic-2.csv\"\nlabel = "
      "\"y\"\nscale = \"federation\"\n");
  const auto outcome = simulate();
  ASSERT_TRUE(outcome) << outcome.error().text();
  const auto loss = std::ranges::find(outcome->evaluation, "loss", &Metric::name);
  ASSERT_NE(loss, outcome->evaluation.end());
  EXPECT_LT(loss->sum / loss->count,
            5);  // of a column around 1,000,000 that is not scaled it is in the thousands
}

// The round of statistics is secure as every other: what the aggregator plans with cannot be lowered below what clients
// accept.
TEST_F(StatisticsFederation, FewerClientsThanASumNeedsGiveNoStatistics) {
  write_federation(std::string("[statistics]\ncolumns = 3\n") +
                   "[cohort]\nclients_min = 4\nwait_s = 20\n[secure_aggregation]\nenabled = true\nroot = "
                   "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n");
  write_clients(3);
  const auto outcome = simulate();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::quorum);
}

class Silent final : public server::EngineObserver {
  void on_log(const server::Log&) override {}
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const server::RoundRecord&) override {}
};

// Claims the weight of nine clients.
class HeavyTrainer final : public learning::Trainer {
 public:
  explicit HeavyTrainer(std::shared_ptr<learning::Trainer> trainer) : trainer_(std::move(trainer)) {}
  Result<learning::AvailableData> available_data(std::stop_token stop) override {
    return trainer_->available_data(std::move(stop));
  }
  const MethodTable& methods() const override { return trainer_->methods(); }
  Result<learning::TrainingResult> train(const learning::TrainingRequest& request,
                                         std::span<const learning::OutputVector> outputs,
                                         std::stop_token stop) override {
    auto result = trainer_->train(request, outputs, std::move(stop));
    if (result) result->examples = 9;
    return result;
  }

 private:
  std::shared_ptr<learning::Trainer> trainer_;
};

// The round of statistics alone, with what happens to its aggregator and its clients.
class StatisticsRound : public StatisticsFederation {
 protected:
  static constexpr int clients = 6;
  // change: what happens. Returns what was found.
  Result<ColumnStatistics> run_round(bool is_secure, const std::function<void(FederationOptions&)>& change) {
    write_federation(std::string("[statistics]\ncolumns = 3\n") + (is_secure ? secure : ""));
    HANSA_TRY(const auto config, server::read_federation_config(folder_ / "federation.toml"));
    server::RunRequest request;
    request.choice = server::RunChoice::new_run;
    request.approval = server::Approval::unused;
    const auto describe = [](const std::filesystem::path& archive,
                             std::span<const std::string>) -> Result<server::ArchiveFacts> {
      HANSA_TRY(auto facts, learning::describe_archive(archive));
      return server::ArchiveFacts{
          facts.archive, std::move(facts.layout), {facts.parameters.begin(), facts.parameters.end()}};
    };
    HANSA_TRY(const auto run,
              server::prepare_run(config, *server::open_catalogue(config.runs), request, describe));
    std::vector<std::string> admitted;
    for (int c = 0; c < clients; ++c) admitted.push_back("clinic-" + std::to_string(c));
    HANSA_TRY(const auto first, server::prepare_statistics_round(config, run, admitted));
    HANSA_TRY(auto identities, Identities::create("clinics", 1, 1));
    FederationOptions options;
    options.federation = "clinics";
    options.aggregator.run = run.run;
    options.aggregator.coordinator = first.coordinator;
    options.aggregator.optimizer = first.optimizer;
    options.aggregator.archive = options.archive = run.archive;
    options.clients_have_archive = true;
    if (is_secure)
      options.aggregator.certificate = [&](const std::string& client) {
        return identities.certificate(client);
      };
    for (int c = 0; c < clients; ++c) {
      HANSA_TRY(const auto client,
                client::read_client_config(folder_ / ("clinic-" + std::to_string(c) + ".client.toml")));
      learning::LocalTrainerConfig trainer;
      trainer.data = client.data;
      ClientSetup setup;
      setup.name = client.name;
      setup.trainer = learning::make_local_trainer(trainer);
      if (is_secure) {
        HANSA_TRY(setup.secure_sums, identities.add(client.name, client.key, {}));
      }
      options.clients.push_back(std::move(setup));
    }
    change(options);
    Silent observer;
    Federation federation(
        std::move(options),
        [&]() -> Result<std::unique_ptr<server::Store>> {
          HANSA_TRY(auto round, server::prepare_statistics_round(config, run, admitted));
          return std::unique_ptr<server::Store>(std::move(round.store));
        },
        observer, folder_.path());
    const std::atomic<bool> stop{false};
    HANSA_TRY(const auto outcome, federation.run(stop));
    if (outcome.last_committed.value == 0) return fail(ErrorCode::quorum, "round", outcome.finish.text);
    return server::committed_statistics(*federation.store(), columns);
  }
};

// The aggregator and the clients crash between any two of their actions. A crash of the aggregator forgets everything:
// the statistics are stored with the run, which begins after them. In secure sums only the aggregator crashes: the clients
// open no second sum of other survivors, so that a sum that was opened and lost is lost for good if one has left since
// (docs/data.md).
TEST_F(StatisticsRound, CrashesChangeNothing) {
  write_clients(clients);
  for (const bool is_secure : {false, true})
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const auto found = run_round(is_secure, [&](FederationOptions& options) {
        options.seed = seed;
        options.network.latency_max = std::chrono::milliseconds(50);
        options.crashes.aggregator_per_effect = 0.01;
        if (!is_secure) options.crashes.client_per_effect = 0.01;
        options.crashes.crashes_max = 6;
        options.aggregator.coordinator.settings.cohort.quorum = 1;
      });
      ASSERT_TRUE(found) << found.error().text() << " secure " << is_secure << " seed " << seed;
      expect_pooled(*found);
    }
}

// The aggregator sees no single client's sums: nobody's digits are in what it receives.
TEST_F(StatisticsRound, NoClientsSumsReachTheAggregator) {
  write_clients(clients);
  for (const bool is_secure : {false, true}) {
    std::string heard;
    const auto found = run_round(is_secure, [&](FederationOptions& options) {
      options.aggregator_hears = [&](std::span<const std::byte> bytes) {
        heard.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      };
    });
    ASSERT_TRUE(found) << found.error().text();
    for (int c = 0; c < clients; ++c) {
      const auto client =
          client::read_client_config(folder_ / ("clinic-" + std::to_string(c) + ".client.toml"));
      const auto source = learning::open_examples(client->data);
      const auto sums = learning::sum_columns(**source);
      std::vector<float> digits(columns * statistics_digits);
      sums->write(digits);
      const std::string_view update(reinterpret_cast<const char*>(digits.data()),
                                    digits.size() * sizeof(float));
      // Without secure aggregation the search finds them.
      EXPECT_EQ(heard.find(update) != std::string::npos, !is_secure) << c;
    }
  }
}

using AdversaryStatisticsRound = StatisticsRound;

// Without secure aggregation it is left out. In a secure sum nobody sees the weight of one client: the sum is refused, and
// the others do not help to open one of the same data that would show a single client.
TEST_F(AdversaryStatisticsRound, AnotherWeightThanOneIsInNoStatistics) {
  write_clients(clients - 1);
  const Pooled honest = pooled_;
  write_clients(clients);
  pooled_ = honest;
  for (const bool is_secure : {false, true}) {
    const auto found = run_round(is_secure, [](FederationOptions& options) {
      options.clients.back().trainer = std::make_shared<HeavyTrainer>(options.clients.back().trainer);
      options.aggregator.coordinator.settings.cohort.attempts_max = 5;
    });
    EXPECT_EQ(found.has_value(), !is_secure);
    if (found) expect_pooled(*found);
  }
}

}  // namespace
}  // namespace hansa::simulation
