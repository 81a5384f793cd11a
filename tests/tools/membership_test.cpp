// Clients are added to a federation's folder and removed from it.
#include "tools/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/config/client_config.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "server/config/federation_config.h"
#include "tests/temporary_folder.h"
#include "tools/scaffold.h"

namespace hansa::tools {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class MembershipTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ScaffoldPlan plan;
    plan.folder = folder();
    plan.clients = {"a", "b", "c"};
    plan.bind = "tcp://0.0.0.0:7470";
    plan.address = "tcp://aggregator.example:7470";
    const auto made = scaffold(plan);
    ASSERT_TRUE(made) << made.error().text();
  }
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "mine"; }
  [[nodiscard]] AddPlan add(const std::string& name) const { return {folder(), name, {}, {}}; }
  [[nodiscard]] fs::path admitted(const std::string& name) const {
    return folder() / "admitted" / (name + ".pub");
  }
  [[nodiscard]] server::FederationConfig config() const {
    return server::read_federation_config(folder() / "federation.toml").value();
  }

  TemporaryFolder temporary_;
};

TEST_F(MembershipTest, AnAddedClientIsCertifiedAdmittedAndLikeTheOthers) {
  const auto added = add_client(add("d"));
  ASSERT_TRUE(added) << added.error().text();
  EXPECT_EQ(added->membership, Membership::created);
  const auto client = client::read_client_config(folder() / "sites" / "d" / "client.toml");
  ASSERT_TRUE(client) << client.error().text();
  const auto other = client::read_client_config(folder() / "sites" / "a" / "client.toml").value();
  EXPECT_EQ(client->name, "d");
  EXPECT_EQ(client->federation, "mine");
  EXPECT_EQ(client->addresses, other.addresses);
  EXPECT_EQ(client->aggregator_key, other.aggregator_key);
  ASSERT_TRUE(client->secure_aggregation);
  EXPECT_EQ(client->secure_aggregation->root, other.secure_aggregation->root);
  EXPECT_EQ(client->secure_aggregation->policy.honest_min, 2);
  EXPECT_EQ(transport::read_public_key(admitted("d")).value(),
            transport::read_secret_key(client->key)->public_key().value());
  const auto root = config().secure_aggregation->root;
  const auto certificate =
      enrolment::read_certificate({folder() / "admitted", "mine", root, 1}, "d", utc_seconds_now());
  EXPECT_TRUE(certificate) << certificate.error().text();
  EXPECT_THAT(added->notes, Contains(HasSubstr("clients_expected = 3")));
  EXPECT_EQ(config().simulated_clients.size(), 4U);
  for (const auto& entry : fs::directory_iterator(folder() / "admitted"))
    EXPECT_EQ(entry.path().extension(), ".pub") << "nothing else is left there";
}

TEST_F(MembershipTest, TheCertificateHasTheFederationsEpoch) {
  const auto file = folder() / "federation.toml";
  std::string text = read_text_file(file, 1 << 20).value();
  text.replace(text.find("enabled = true"), 14, "enabled = true\nepoch = 4");
  ASSERT_TRUE(write_file_atomically(file, text));
  ASSERT_TRUE(add_client(add("d")));
  EXPECT_EQ(enrolment::read_device_file(admitted("d"))->certificate->validity.epoch, 4U);
}

TEST_F(MembershipTest, ARemovedClientKeepsItsFolderAndMayReturnWithItsKey) {
  const auto before = transport::read_public_key(admitted("b")).value();
  const auto removed = remove_client(folder(), "b");
  ASSERT_TRUE(removed) << removed.error().text();
  EXPECT_FALSE(fs::exists(admitted("b")));
  EXPECT_TRUE(fs::exists(folder() / "sites" / "b" / "client.key"));
  EXPECT_EQ(removed->remaining, 2U);
  EXPECT_THAT(removed->notes, Contains(HasSubstr("clients_min = 3: no round can start")));
  EXPECT_THAT(removed->notes, Contains(HasSubstr("hansa simulate")));
  const auto again = add_client(add("b"));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->membership, Membership::returned);
  EXPECT_EQ(transport::read_public_key(admitted("b")).value(), before);
  EXPECT_THAT(again->notes, IsEmpty());
}

TEST_F(MembershipTest, WhatCannotBeRightChangesNothing) {
  const auto refused = [&](const AddPlan& plan, const char* text) {
    const auto added = add_client(plan);
    ASSERT_FALSE(added) << text;
    EXPECT_EQ(added.error().code, ErrorCode::usage);
    EXPECT_THAT(added.error().text(), HasSubstr(text));
  };
  refused(add("a"), "admitted already");
  refused(add("../d"), "is not a valid name");
  refused({temporary_.path(), "d", {}, {}}, "holds no federation.toml");
  fs::rename(folder() / "keys" / "root.key", temporary_.path() / "root.key");
  refused(add("d"), "--root FILE");
  refused({folder(), "d", folder() / "keys" / "aggregator.key", {}},
          "is not the root key that federation.toml names");
  EXPECT_FALSE(fs::exists(folder() / "sites" / "d"));
  EXPECT_FALSE(fs::exists(admitted("d")));
  ASSERT_TRUE(make_folders(folder() / "sites" / "d"));
  refused({folder(), "d", temporary_.path() / "root.key", {}}, "holds no client.key");
  fs::remove(folder() / "sites" / "d");
  EXPECT_TRUE(add_client({folder(), "d", temporary_.path() / "root.key", {"tcp://h:1", "tcp://h:2"}}));
  EXPECT_THAT(client::read_client_config(folder() / "sites" / "d" / "client.toml")->addresses,
              ElementsAre("tcp://h:1", "tcp://h:2"));

  const auto unknown = remove_client(folder(), "dd");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::usage);
  EXPECT_FALSE(remove_client(folder(), "../federation"));
}

}  // namespace
}  // namespace hansa::tools
