#include "tools/model_signing.h"

#include "common/config/name_check.h"
#include "common/files.h"
#include "protocols/enrolment/manifest_file.h"
#include "server/evaluation/model_process.h"

namespace hansa::tools {

using secure_aggregation::ModelManifest;

namespace {

// What the code of metrics() names, but for loss and accuracy, which are always measured.
Result<std::vector<std::string>> all_metrics(const server::ArchiveFacts& model, const std::string& location) {
  std::vector<std::string> out = model.metric_names;
  std::erase_if(out, [](const std::string& name) { return name == "loss" || name == "accuracy"; });
  if (auto valid = secure_aggregation::check_metric_names(out, location + ": its metrics()"); !valid) {
    valid.error().hint = "name those that clients report with --metric, or write --no-metrics";
    return tl::unexpected(std::move(valid.error()));
  }
  return out;
}

Result<std::vector<std::string>> signed_metrics(const SigningPlan& plan, const server::ArchiveFacts& model) {
  if (!plan.metrics) return all_metrics(model, plan.archive.string());
  HANSA_TRY_VOID(secure_aggregation::check_metric_names(*plan.metrics, "--metric"));
  if (!plan.metrics->empty() && !model.has_metrics)
    return fail(ErrorCode::usage, plan.archive.string(), "has no method metrics(x, y)",
                "leave --metric out, or add the method: loss and accuracy are measured without it");
  return *plan.metrics;
}

}  // namespace

Result<ModelManifest> draft_manifest(const SigningPlan& plan) {
  HANSA_TRY_VOID(config::check_name(plan.federation, "--federation \"" + plan.federation + "\""));
  HANSA_TRY_VOID(config::check_name(plan.name, "--name \"" + plan.name + "\""));
  HANSA_TRY_VOID(config::check_name(plan.version, "--version \"" + plan.version + "\""));
  HANSA_TRY(const auto model, server::describe_archive_in_child(plan.archive, plan.personal));
  HANSA_TRY(auto metrics, signed_metrics(plan, model));
  return ModelManifest{plan.federation,
                       model.archive,
                       model.layout.digest(),
                       {plan.name, plan.version, std::move(metrics), {}}};
}

Result<ModelManifest> sign_archive(const std::filesystem::path& archive, const ModelManifest& draft,
                                   const secure_aggregation::SigningKey& root) {
  HANSA_TRY(auto manifest, secure_aggregation::sign(draft, root));
  HANSA_TRY_VOID(enrolment::write_manifest(manifest, enrolment::manifest_path(archive)));
  return manifest;
}

Result<ModelManifest> verify_archive(const std::filesystem::path& archive,
                                     const secure_aggregation::IdentityKey& root) {
  const std::filesystem::path file = enrolment::manifest_path(archive);
  HANSA_TRY(auto manifest, enrolment::read_manifest(file));
  HANSA_TRY(const Digest found, digest_of_file(archive));
  if (manifest.archive != found)
    return fail(ErrorCode::refused, file.string(),
                "is for archive " + manifest.archive.brief() + ", but the file is " + found.brief(),
                "the archive has changed since it was signed: sign it again if the change was yours");
  if (auto valid = secure_aggregation::check(manifest, root); !valid)
    return fail(valid.error().code, file.string(), valid.error().what, "sign it again with the right key");
  return manifest;
}

}  // namespace hansa::tools
