#include "protocols/secure_aggregation/model_manifest.h"

#include <algorithm>
#include <utility>

#include "common/held_out_metrics.h"
#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

Transcript signed_part(const ModelManifest& manifest) {
  Transcript out("hansa model 2");
  out.text(manifest.federation).text(manifest.approval.name).text(manifest.approval.version);
  out.bytes(manifest.archive.bytes).bytes(manifest.layout.bytes);
  out.number(manifest.approval.metrics.size(), 1);
  for (const std::string& metric : manifest.approval.metrics) out.text(metric);
  return out;
}

}  // namespace

Result<void> check_metric_names(std::span<const std::string> metrics, const std::string& location) {
  if (metrics.size() > model_metrics_max)
    return fail(ErrorCode::usage, location,
                "names " + std::to_string(metrics.size()) + " metrics, and " +
                    std::to_string(model_metrics_max) + " are the most",
                "leave some out");
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!is_own_metric_name(metrics[i]))
      return fail(ErrorCode::usage, location, "names a metric that is not valid: \"" + metrics[i] + "\"",
                  "use 1 to 32 letters, digits, '-' and '_'; \"loss\" and \"accuracy\" are always measured");
    if (std::ranges::find(metrics.first(i), metrics[i]) != metrics.begin() + static_cast<std::ptrdiff_t>(i))
      return fail(ErrorCode::usage, location, "names metric \"" + metrics[i] + "\" twice", "name it once");
  }
  return {};
}

Result<ModelManifest> sign(ModelManifest manifest, const SigningKey& root) {
  HANSA_TRY_VOID(check_metric_names(manifest.approval.metrics, "model " + manifest.archive.brief()));
  HANSA_TRY(manifest.approval.signature, root.sign(signed_part(manifest).view()));
  return manifest;
}

Result<void> check(const ModelManifest& manifest, const IdentityKey& root) {
  const bool valid = check_metric_names(manifest.approval.metrics, "").has_value();
  if (valid && verify(root, signed_part(manifest).view(), manifest.approval.signature)) return {};
  return fail(ErrorCode::refused, "model " + manifest.archive.brief(),
              "is not signed by the root key for federation \"" + manifest.federation + "\"", {},
              {ReasonCode::model_not_approved, {}});
}

}  // namespace hansa::secure_aggregation
