// The programs can read the files that `hansa new` writes.
#include "tools/scaffold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "client/config/client_config.h"
#include "common/files.h"
#include "learning/data/idx_file.h"
#include "learning/model_archive.h"
#include "protocols/transport/keys.h"
#include "server/config/federation_config.h"
#include "tests/temporary_folder.h"

namespace hansa::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

// 400 training examples of four labels. The files are not gzipped, which the reader detects by their first bytes.
void write_data_set(const fs::path& folder) {
  learning::IdxArray images{{400, 28, 28}, std::vector<std::uint8_t>(400 * 28 * 28, 7)};
  learning::IdxArray labels{{400}, {}};
  for (std::uint32_t i = 0; i < 400; ++i) labels.values.push_back(static_cast<std::uint8_t>(i % 4));
  ASSERT_TRUE(learning::write_idx(folder / "train-images-idx3-ubyte.gz", images));
  ASSERT_TRUE(learning::write_idx(folder / "train-labels-idx1-ubyte.gz", labels));
}

class Scaffold : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_folders(folder_.path() / "data"));
    write_data_set(folder_.path() / "data");
    plan_.folder = folder_.path() / "fashion";
    plan_.example = Example::fashion_mnist;
    plan_.dataset = folder_.path() / "data";
    plan_.clients = numbered_clients(3);
    plan_.rounds = 4;
    plan_.seed = 9;
  }
  TemporaryFolder folder_;
  ScaffoldPlan plan_;
};

TEST_F(Scaffold, AnExampleIsCompleteAndConsistent) {
  const auto made = scaffold(plan_);
  ASSERT_TRUE(made) << made.error().text();
  const auto federation = server::read_federation_config(plan_.folder / "federation.toml");
  ASSERT_TRUE(federation) << federation.error().text();
  EXPECT_EQ(federation->name, "fashion");
  EXPECT_EQ(federation->rounds, 4U);
  EXPECT_EQ(federation->seed, 9U);
  EXPECT_EQ(federation->cohort.clients_min, 3U);
  EXPECT_TRUE(federation->evaluation);
  EXPECT_TRUE(learning::describe_archive(federation->model));
  const auto aggregator = transport::read_secret_key(federation->key);
  ASSERT_TRUE(aggregator) << aggregator.error().text();

  ASSERT_EQ(federation->simulated_clients.size(), 3U);
  std::set<std::string> keys;
  std::size_t examples = 0;
  for (const auto& file : federation->simulated_clients) {
    const auto client = client::read_client_config(file);
    ASSERT_TRUE(client) << client.error().text();
    EXPECT_EQ(client->federation, federation->name);
    EXPECT_EQ(client->addresses.at(0), federation->bind);
    EXPECT_EQ(client->aggregator_key, aggregator->public_key().value());
    const auto own = transport::read_secret_key(client->key);
    ASSERT_TRUE(own) << own.error().text();
    const auto admitted = transport::read_public_key(federation->admitted / (client->name + ".pub"));
    ASSERT_TRUE(admitted) << admitted.error().text();
    EXPECT_EQ(*admitted, own->public_key().value());
    keys.insert(admitted->text());
    const auto shard = learning::read_idx_pair({client->data.images, client->data.labels});
    ASSERT_TRUE(shard) << shard.error().text();
    examples += shard->labels.example_count();
  }
  EXPECT_EQ(keys.size(), 3U);
  EXPECT_EQ(examples, 400U);
}

TEST_F(Scaffold, AFederationOfThreeAllowsSumsOfThreeAndALargerOneDoesNot) {
  for (const auto& [clients, honest_min] :
       {std::pair<std::uint32_t, std::optional<std::uint32_t>>{3, 2}, {4, std::nullopt}}) {
    plan_.clients = numbered_clients(clients);
    plan_.folder = folder_.path() / ("of-" + std::to_string(clients));
    ASSERT_TRUE(scaffold(plan_));
    const auto federation = server::read_federation_config(plan_.folder / "federation.toml");
    ASSERT_TRUE(federation) << federation.error().text();
    ASSERT_TRUE(federation->secure_aggregation);
    EXPECT_EQ(federation->secure_aggregation->honest_min, honest_min);
    for (const auto& file : federation->simulated_clients) {
      const auto client = client::read_client_config(file);
      ASSERT_TRUE(client) << client.error().text();
      EXPECT_EQ(client->secure_aggregation->policy.honest_min, honest_min);
    }
  }
}

TEST_F(Scaffold, AddressAndMinimumOfClientsCanBeChosen) {
  plan_.address = "tcp://aggregator:7470";
  plan_.clients_min = 2;
  ASSERT_TRUE(scaffold(plan_));
  const auto federation = server::read_federation_config(plan_.folder / "federation.toml");
  ASSERT_TRUE(federation) << federation.error().text();
  EXPECT_EQ(federation->cohort.clients_min, 2U);
  const auto client = client::read_client_config(plan_.folder / "sites" / "client-01" / "client.toml");
  ASSERT_TRUE(client) << client.error().text();
  EXPECT_EQ(client->addresses, std::vector<std::string>{"tcp://aggregator:7470"});

  plan_.folder = folder_.path() / "another";
  plan_.clients_min = 4;
  const auto refused = scaffold(plan_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("--clients-min"));
}

TEST_F(Scaffold, SecretKeysAreReadableOnlyByTheirOwner) {
  ASSERT_TRUE(scaffold(plan_));
  int keys = 0;
  for (const auto& entry : fs::recursive_directory_iterator(plan_.folder)) {
    if (entry.path().extension() != ".key") continue;
    ++keys;
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << entry.path();
  }
  EXPECT_EQ(keys, 5) << "of the aggregator, the root and three clients";
}

TEST_F(Scaffold, TheSeedDecidesModelAndShardsButNoKey) {
  ASSERT_TRUE(scaffold(plan_));
  ScaffoldPlan second = plan_;
  second.folder = folder_.path() / "second";
  ASSERT_TRUE(scaffold(second));
  const auto same = [&](const char* file) {
    return read_binary_file(plan_.folder / file, 1 << 24).value() ==
           read_binary_file(second.folder / file, 1 << 24).value();
  };
  EXPECT_TRUE(same("model.pt"));
  EXPECT_TRUE(same("sites/client-02/data/labels.idx"));
  EXPECT_FALSE(same("admitted/client-02.pub"));
}

TEST_F(Scaffold, ATemplateNeedsNoDataAndIsReadBack) {
  plan_.example = Example::none;
  plan_.bind = "tcp://0.0.0.0:7470";
  ASSERT_TRUE(scaffold(plan_));
  const auto federation = server::read_federation_config(plan_.folder / "federation.toml");
  ASSERT_TRUE(federation) << federation.error().text();
  EXPECT_FALSE(federation->evaluation);
  EXPECT_TRUE(federation->client_evaluation) << "the clients measure the model";
  const auto client = client::read_client_config(plan_.folder / "sites" / "client-01" / "client.toml");
  ASSERT_TRUE(client) << client.error().text();
  EXPECT_EQ(client->addresses.at(0), "tcp://127.0.0.1:7470");
}

// Issue 22: a site's folder is ready and works from any place.
TEST_F(Scaffold, ASiteCanBeMovedAsItIs) {
  plan_.clients = parse_clients("hospital-a,hospital-b,hospital-c").value();
  ASSERT_TRUE(scaffold(plan_));
  const auto device = folder_.path() / "device";
  fs::rename(plan_.folder / "sites" / "hospital-b", device);
  fs::remove_all(plan_.folder / "sites");
  const auto client = client::read_client_config(device / "client.toml");
  ASSERT_TRUE(client) << client.error().text();
  EXPECT_EQ(client->name, "hospital-b");
  EXPECT_EQ(client->state, device / "state");
  const auto key = transport::read_secret_key(client->key);
  ASSERT_TRUE(key) << key.error().text();
  EXPECT_EQ(key->public_key().value(),
            transport::read_public_key(plan_.folder / "admitted" / "hospital-b.pub").value());
  EXPECT_TRUE(learning::read_idx_pair({client->data.images, client->data.labels}));
  EXPECT_EQ(fs::status(device).permissions() & fs::perms(0077), fs::perms::none);
}

TEST(ScaffoldClients, AreNamesOrANumber) {
  EXPECT_THAT(parse_clients("3").value(), ElementsAre("client-01", "client-02", "client-03"));
  EXPECT_THAT(parse_clients("a").value(), ElementsAre("a"));
  EXPECT_THAT(parse_clients("hospital-a,b.2").value(), ElementsAre("hospital-a", "b.2"));
  for (const char* text :
       {"", "0", "10001", "99999999999999999999", "a,", ",a", "a,,b", "a,b,a", "../a", "a b", "-1"}) {
    const auto clients = parse_clients(text);
    ASSERT_FALSE(clients) << text;
    EXPECT_EQ(clients.error().code, ErrorCode::usage) << text;
  }
}

TEST_F(Scaffold, AFolderThatIsNotEmptyIsNotChanged) {
  ASSERT_TRUE(make_folders(plan_.folder));
  ASSERT_TRUE(write_file_atomically(plan_.folder / "mine", std::string_view("x")));
  const auto made = scaffold(plan_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::usage);
  EXPECT_EQ(std::distance(fs::directory_iterator(plan_.folder), fs::directory_iterator()), 1);
}

TEST_F(Scaffold, AFailureLeavesNothingBehind) {
  plan_.dataset = folder_.path() / "none";
  const auto made = scaffold(plan_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::data);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1)
      << "only the data";
}

}  // namespace
}  // namespace hansa::tools
