// Which model archives a client trains. An archive is a program, so the client needs the approval of someone other than
// the aggregator, which sends it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "protocols/messages/task.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/model_manifest.h"

namespace hansa::client {

enum class Unapproved : std::uint8_t {
  decline,
  train,  // for development: whoever controls the aggregator runs code on this device
};

// Checks manifests, and remembers the last one that was valid: the tasks of a run have the same, and of each the client asks
// several times. One thread at a time.
class ManifestCheck {
 public:
  // As secure_aggregation::check().
  [[nodiscard]] Result<void> check(const secure_aggregation::ModelManifest& manifest,
                                   const secure_aggregation::IdentityKey& root);
  [[nodiscard]] std::uint64_t verified() const { return verified_; }  // signatures

 private:
  struct Valid {
    secure_aggregation::ModelManifest manifest;
    secure_aggregation::IdentityKey root;
  };
  std::optional<Valid> last_;
  std::uint64_t verified_ = 0;
};

struct ModelPolicy {
  std::optional<secure_aggregation::IdentityKey> root;  // archives that this key signed are approved
  // Pinned: only this archive, and no signature is needed. With `layout`: only with these values sent.
  std::optional<Digest> archive;
  std::optional<Digest> layout;
  Unapproved unapproved = Unapproved::decline;  // what happens if neither `root` nor `archive` is set
  std::optional<secure_aggregation::IdentityKey> former_root = {};  // like root, while the root key changes
  std::shared_ptr<ManifestCheck> manifests = std::make_shared<ManifestCheck>();  // copies share it
};

// Fails with `refused` unless the policy approves the task's archive and layout. Called before anything of the archive
// is fetched or loaded; the archive's bytes are compared with the digest when they have arrived, and its layout before
// it is trained.
[[nodiscard]] Result<void> check_approved(const messages::TrainTask& task, const std::string& federation,
                                          const ModelPolicy& policy);

// The values of the model's metrics() that the task may make the client report: those that the root key signed with the
// archive. None for a pinned archive without a valid signature. Where unapproved archives are trained, those that the
// task names.
[[nodiscard]] std::vector<std::string> approved_metrics(const messages::TrainTask& task,
                                                        const std::string& federation,
                                                        const ModelPolicy& policy);

}  // namespace hansa::client
