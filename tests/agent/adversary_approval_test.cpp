// Attacks by an aggregator that sends a model that the operator has not approved. The client declines before it looks
// for the archive, fetches it, or opens it.
#include <gtest/gtest.h>

#include "client/agent/task_check.h"
#include "tests/agent/harness.h"

namespace hansa::client::testing {
namespace {

using secure_aggregation::ModelManifest;
using secure_aggregation::SigningKey;

class AdversaryModelApproval : public ::testing::Test {
 protected:
  AgentConfig config() const {
    AgentConfig out = Harness::small_config();
    out.models = {};
    out.models.root = root_.public_key();
    return out;
  }
  // The task with a manifest that `signer` has signed for this federation.
  messages::TrainTask signed_task(const SigningKey& signer, const std::string& federation = "harbour") const {
    messages::TrainTask task = Harness().make_task();
    task.layout = sha256("layout");
    task.approval =
        secure_aggregation::sign({federation, task.archive, task.layout, {"crane", "3", {"auc"}, {}}}, signer)
            .value()
            .approval;
    return task;
  }
  // Runs a whole agent, and returns the reason for which it declines; empty: it looks for the archive.
  static std::string reason(const messages::TrainTask& task, const AgentConfig& config) {
    Harness client(config);
    client.go_online();
    client.forget();
    client.receive(task);
    const auto declined = client.sent<messages::Decline>();
    if (declined.empty()) {
      EXPECT_EQ(client.all<FindArchive>().size(), 1U);
      return "";
    }
    EXPECT_TRUE(client.all<FindArchive>().empty()) << "nothing of the archive is touched";
    EXPECT_TRUE(client.sent<messages::Pull>().empty());
    const auto checked = check_task(task, config);
    EXPECT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::refused);
    return checked.error().text();
  }
  void expect_declined(const messages::TrainTask& task, const std::string& why) const {
    const std::string text = reason(task, config());
    EXPECT_NE(text.find(why), std::string::npos) << text;
  }

  SigningKey root_ = *SigningKey::generate();
};

TEST_F(AdversaryModelApproval, AModelThatTheRootKeySignedIsTrained) {
  EXPECT_EQ(reason(signed_task(root_), config()), "");
}

TEST_F(AdversaryModelApproval, AnUnsignedModelIsDeclined) {
  messages::TrainTask task = signed_task(root_);
  task.approval.reset();
  expect_declined(task, "is not signed");
}

TEST_F(AdversaryModelApproval, AModelThatAnotherKeySignedIsDeclined) {
  expect_declined(signed_task(*SigningKey::generate()), "is not signed by the root key");
}

TEST_F(AdversaryModelApproval, AModelThatIsSignedForAnotherFederationIsDeclined) {
  expect_declined(signed_task(root_, "depot"), "is not signed by the root key for federation \"harbour\"");
}

TEST_F(AdversaryModelApproval, AnArchiveThatChangedAfterItWasSignedIsDeclined) {
  messages::TrainTask task = signed_task(root_);
  task.archive = sha256("the archive with one more line");
  expect_declined(task, "is not signed by the root key");
}

// Other personal parameters give another layout: the aggregator would ask for what must stay on the device.
TEST_F(AdversaryModelApproval, AManifestRepeatedForAnotherLayoutIsDeclined) {
  messages::TrainTask task = signed_task(root_);
  task.layout = sha256("a layout without personal parameters");
  expect_declined(task, "is not signed by the root key");
}

TEST_F(AdversaryModelApproval, AManifestWithAnotherNameVersionOrSignatureIsDeclined) {
  messages::TrainTask task = signed_task(root_);
  task.approval->version = "4";
  expect_declined(task, "is not signed by the root key");
  task = signed_task(root_);
  task.approval->name = "cran";
  task.approval->version = "e3";  // the same bytes if the fields had no lengths
  expect_declined(task, "is not signed by the root key");
  task = signed_task(root_);
  task.approval->signature[63] ^= 1;
  expect_declined(task, "is not signed by the root key");
}

TEST_F(AdversaryModelApproval, AnAggregatorCannotAddMetricsOfTheModel) {
  messages::TrainTask task = signed_task(root_);
  task.approval->metrics.emplace_back("pixel_0");
  expect_declined(task, "is not signed by the root key");
  task = signed_task(root_);
  task.approval->metrics.clear();
  expect_declined(task, "is not signed by the root key");
}

TEST_F(AdversaryModelApproval, OnlyMetricsThatTheRootKeySignedAreReported) {
  const messages::TrainTask task = signed_task(root_);
  EXPECT_EQ(approved_metrics(task, "harbour", config().models), std::vector<std::string>{"auc"});
  EXPECT_TRUE(approved_metrics(task, "depot", config().models).empty());
  ModelPolicy pinned;
  pinned.archive = task.archive;
  EXPECT_TRUE(approved_metrics(task, "harbour", pinned).empty()) << "nobody has checked the signature";
  pinned.root = root_.public_key();
  EXPECT_EQ(approved_metrics(task, "harbour", pinned).size(), 1U);
  ModelPolicy any;
  any.unapproved = Unapproved::train;
  EXPECT_EQ(approved_metrics(task, "harbour", any).size(), 1U);
  messages::TrainTask unsigned_task = task;
  unsigned_task.approval.reset();
  EXPECT_TRUE(approved_metrics(unsigned_task, "harbour", any).empty());
}

TEST_F(AdversaryModelApproval, TheSignatureOfAManifestIsVerifiedOnceAndThatOfAnotherOneAgain) {
  const ModelPolicy policy = config().models;
  const messages::TrainTask task = signed_task(root_);
  EXPECT_TRUE(check_approved(task, "harbour", policy));
  EXPECT_EQ(approved_metrics(task, "harbour", policy).size(), 1U);
  EXPECT_EQ(approved_metrics(task, "harbour", policy).size(), 1U);
  EXPECT_EQ(policy.manifests->verified(), 1U);
  for (const auto change : {+[](messages::TrainTask& t) { t.approval->signature[63] ^= 1; },
                            +[](messages::TrainTask& t) { t.approval->version += "1"; },
                            +[](messages::TrainTask& t) { t.approval->metrics.emplace_back("pixel_0"); },
                            +[](messages::TrainTask& t) { t.layout.bytes[0] ^= 1; },
                            +[](messages::TrainTask& t) { t.archive.bytes[0] ^= 1; }}) {
    messages::TrainTask other = task;
    change(other);
    EXPECT_FALSE(check_approved(other, "harbour", policy));
    EXPECT_TRUE(check_approved(task, "harbour", policy)) << "the valid one stays known";
  }
  EXPECT_FALSE(check_approved(task, "depot", policy));
  EXPECT_EQ(policy.manifests->verified(), 7U);
  ModelPolicy other_root = policy;
  other_root.root->at(0) ^= 1;
  EXPECT_FALSE(check_approved(task, "harbour", other_root));
}

// A task that continues after a reconnect is checked again.
TEST_F(AdversaryModelApproval, TheManifestCannotBeExchangedWhileTheTaskRuns) {
  Harness client(config());
  client.train(signed_task(root_));
  client.forget();
  messages::TrainTask again = signed_task(root_);
  again.approval.reset();
  client.receive(again);
  EXPECT_EQ(client.sent<messages::Decline>().size(), 1U);
}

TEST_F(AdversaryModelApproval, APinnedArchiveIsTheOnlyOneAndNeedsNoSignature) {
  AgentConfig pinned = Harness::small_config();
  pinned.models = {};
  messages::TrainTask task = Harness().make_task();
  task.layout = sha256("layout");
  pinned.models.archive = task.archive;
  EXPECT_EQ(reason(task, pinned), "");
  pinned.models.layout = task.layout;
  EXPECT_EQ(reason(task, pinned), "");
  pinned.models.layout = sha256("another layout");
  EXPECT_NE(reason(task, pinned).find("would send other values"), std::string::npos);
  pinned.models.layout.reset();
  pinned.models.archive = sha256("another archive");
  EXPECT_NE(reason(task, pinned).find("is not the archive that [model] archive names"), std::string::npos);
  pinned.models.root = root_.public_key();
  EXPECT_NE(reason(signed_task(root_), pinned).find("is not the archive"), std::string::npos)
      << "a signature does not replace the pin";
}

TEST_F(AdversaryModelApproval, WithoutARootKeyAndAPinNothingIsTrained) {
  AgentConfig nothing = Harness::small_config();
  nothing.models = {};
  EXPECT_NE(reason(signed_task(root_), nothing).find("is not approved"), std::string::npos);
}

}  // namespace
}  // namespace hansa::client::testing
