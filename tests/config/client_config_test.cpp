#include "client/config/client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/config/client_schema.h"
#include "common/config/document.h"
#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";

std::string with_aggregator(const std::string& lines) {
  return "[client]\nname = \"c1\"\nfederation = \"f\"\nkey = \"c1.key\"\n[data]\nimages = \"i\"\nlabels = "
         "\"l\"\n"
         "[aggregator]\n" +
         lines;
}

class ClientFile : public ::testing::Test {
 protected:
  Result<ClientConfig> read(const std::string& text) {
    EXPECT_TRUE(write_file_atomically(folder_.path() / "client.toml", text));
    return read_client_config(folder_.path() / "client.toml");
  }
  TemporaryFolder folder_;
};

TEST_F(ClientFile, AMinimalFileGivesTheDefaultsOfTheStruct) {
  const ClientConfig config =
      read(with_aggregator("address = \"tcp://a:1\"\npublic_key = \"" + std::string(key) + "\"\n")).value();
  const ClientConfig expected;
  EXPECT_EQ(config.name, "c1");
  EXPECT_EQ(config.federation, "f");
  EXPECT_EQ(config.aggregator_key.text(), key);
  EXPECT_THAT(config.addresses, ElementsAre("tcp://a:1"));
  EXPECT_EQ(config.key, folder_.path() / "c1.key");
  EXPECT_EQ(config.state, folder_.path() / "state");
  EXPECT_EQ(config.after_federation, expected.after_federation);
  EXPECT_EQ(config.reconnect_min, expected.reconnect_min);
  EXPECT_EQ(config.reconnect_max, expected.reconnect_max);
  EXPECT_EQ(config.data.kind, expected.data.kind);
  EXPECT_EQ(config.data.examples_max, expected.data.examples_max);
  EXPECT_EQ(config.resources.threads, expected.resources.threads);
  EXPECT_EQ(config.resources.nice, expected.resources.nice);
  EXPECT_EQ(config.resources.memory_mib_max, expected.resources.memory_mib_max);
}

TEST_F(ClientFile, TheApprovalOfModelsIsARootKeyOrAPinOrAnExplicitOptOut) {
  const std::string start =
      with_aggregator("address = \"tcp://a:1\"\npublic_key = \"" + std::string(key) + "\"\n");
  const std::string root(64, 'a'), other(64, 'b');
  const auto model = [&](const std::string& lines) { return read(start + lines); };
  EXPECT_FALSE(model("")->model.root || model("")->model.archive || model("")->model.train_unapproved);
  const auto secure = model("[secure_aggregation]\nroot = \"" + root + "\"\n");
  EXPECT_EQ(secure->model.root->at(0), 0xaa);
  const auto both =
      model("[secure_aggregation]\nroot = \"" + root + "\"\n[model]\nroot = \"" + other + "\"\n");
  EXPECT_EQ(both->model.root->at(0), 0xbb);
  EXPECT_EQ(model("[model]\narchive = \"sha256:" + root + "\"\n")->model.archive->hex(), root);
  EXPECT_TRUE(model("[model]\nunapproved = \"train\"\n")->model.train_unapproved);
  const auto refusal = [&](const std::string& lines) {
    const auto config = model("[model]\n" + lines);
    return config ? "" : config.error().text();
  };
  EXPECT_THAT(refusal("archive = \"sha256:" + std::string(64, 'x') + "\"\n"), HasSubstr("model.archive"));
  EXPECT_THAT(refusal("layout = \"" + root + "\"\n"), HasSubstr("is set without model.archive"));
  EXPECT_THAT(refusal("unapproved = \"train\"\nroot = \"" + root + "\"\n"),
              HasSubstr("remove one of the two"));
}

TEST_F(ClientFile, TheKeyMayBeInAFileAndTheAddressesInAList) {
  ASSERT_TRUE(
      write_file_atomically(folder_.path() / "a.pub", "# the aggregator\n" + std::string(key) + "\n"));
  const ClientConfig config =
      read(with_aggregator("address = [\"tcp://a:1\", \"tcp://b:2\"]\npublic_key_file = \"a.pub\"\n"))
          .value();
  EXPECT_EQ(config.aggregator_key.text(), key);
  EXPECT_THAT(config.addresses, ElementsAre("tcp://a:1", "tcp://b:2"));
}

TEST_F(ClientFile, ErrorsOfTheAggregatorTableNameTheLine) {
  const std::string good_key = "public_key = \"" + std::string(key) + "\"\n";
  struct Case {
    std::string lines;
    const char* error;
  };
  for (const auto& [lines, error] :
       {Case{"address = \"tcp://a:1\"\n", "client.toml: aggregator.public_key: is missing"},
        Case{"address = \"tcp://a:1\"\npublic_key = \"short\"\n", "client.toml:10: aggregator.public_key"},
        Case{"address = \"tcp://a:1\"\npublic_key_file = \"none.pub\"\n",
             "client.toml:10: aggregator.public_key_file"},
        Case{"address = \"tcp://a:1\"\n" + good_key + "public_key_file = \"a.pub\"\n",
             "client.toml:11: aggregator.public_key_file: is set together with aggregator.public_key"},
        Case{"address = \"a:1\"\n" + good_key,
             "client.toml:9: aggregator.address: is \"a:1\", which does not start with tcp://"},
        Case{"address = [\"tcp://a:1\", \"tcp://a:70000\"]\n" + good_key,
             "client.toml:9: aggregator.address: is \"tcp://a:70000\", which has no port from 1 to 65535"},
        Case{"address = \"tcp://a:1\"\nreconnect_min_s = 5\nreconnect_max_s = 1\n" + good_key,
             "client.toml:11: aggregator.reconnect_max_s: is less than reconnect_min_s"}}) {
    const auto config = read(with_aggregator(lines));
    ASSERT_FALSE(config) << lines;
    EXPECT_THAT(config.error().text(), HasSubstr(error));
  }
}

TEST(ClientSchema, EveryExampleIsAccepted) {
  std::string toml;
  for (const auto& table : client_schema().tables) {
    toml += "[" + std::string(table.name) + "]\n";
    for (const auto& setting : table.settings)
      toml += std::string(setting.key) + " = " + std::string(setting.example) + "\n";
  }
  const auto document = config::Document::parse(toml, "examples.toml", client_schema());
  EXPECT_TRUE(document) << document.error().text();
}

}  // namespace
}  // namespace hansa::client
