#include "client/agent/model_policy.h"

namespace hansa::client {
namespace {

Result<void> check_signature(const messages::TrainTask& task, const std::string& federation,
                             const ModelPolicy& policy) {
  const secure_aggregation::ModelManifest manifest{federation, task.archive, task.layout, *task.approval};
  auto valid = policy.manifests->check(manifest, *policy.root);
  if (!valid && policy.former_root) return policy.manifests->check(manifest, *policy.former_root);
  return valid;
}

}  // namespace

Result<void> ManifestCheck::check(const secure_aggregation::ModelManifest& manifest,
                                  const secure_aggregation::IdentityKey& root) {
  const auto is_same = [&](const secure_aggregation::ModelManifest& other) {
    return other.federation == manifest.federation && other.archive == manifest.archive &&
           other.layout == manifest.layout && other.approval == manifest.approval;
  };
  if (last_ && is_same(last_->manifest) && last_->root == root) return {};
  ++verified_;
  HANSA_TRY_VOID(secure_aggregation::check(manifest, root));
  last_ = Valid{manifest, root};
  return {};
}

Result<void> check_approved(const messages::TrainTask& task, const std::string& federation,
                            const ModelPolicy& policy) {
  const std::string archive = "model " + task.archive.brief();
  if (policy.archive) {
    if (task.archive != *policy.archive)
      return fail(ErrorCode::refused, archive, "is not the archive that [model] archive names",
                  "if the operator changed the model, set [model] archive to the new digest",
                  {ReasonCode::model_not_approved, {}});
    if (policy.layout && task.layout != *policy.layout)
      return fail(ErrorCode::refused, archive, "would send other values than [model] layout names", {},
                  {ReasonCode::model_not_approved, {}});
    return {};
  }
  if (policy.root) {
    if (!task.approval)
      return fail(ErrorCode::refused, archive, "is not signed",
                  "the operator signs it: hansa model sign ARCHIVE --key ROOT.key --federation " + federation,
                  {ReasonCode::model_not_approved, {}});
    return check_signature(task, federation, policy);
  }
  if (policy.unapproved == Unapproved::train) return {};
  return fail(ErrorCode::refused, archive, "is not approved: this client has no root key and pins no archive",
              "set [model] root or [model] archive", {ReasonCode::model_not_approved, {}});
}

std::vector<std::string> approved_metrics(const messages::TrainTask& task, const std::string& federation,
                                          const ModelPolicy& policy) {
  if (!task.approval) return {};
  if (policy.root && check_signature(task, federation, policy)) return task.approval->metrics;
  const bool trains_any = !policy.root && !policy.archive && policy.unapproved == Unapproved::train;
  if (!trains_any || !secure_aggregation::check_metric_names(task.approval->metrics, "")) return {};
  return task.approval->metrics;
}

}  // namespace hansa::client
