#include "protocols/secure_aggregation/model_manifest.h"

#include <utility>

#include "common/transcript.h"

namespace hansa::secure_aggregation {
namespace {

Transcript signed_part(const ModelManifest& manifest) {
  Transcript out("hansa model 1");
  out.text(manifest.federation).text(manifest.approval.name).text(manifest.approval.version);
  out.bytes(manifest.archive.bytes).bytes(manifest.layout.bytes);
  return out;
}

}  // namespace

Result<ModelManifest> sign(ModelManifest manifest, const SigningKey& root) {
  HANSA_TRY(manifest.approval.signature, root.sign(signed_part(manifest).view()));
  return manifest;
}

Result<void> check(const ModelManifest& manifest, const IdentityKey& root) {
  if (verify(root, signed_part(manifest).view(), manifest.approval.signature)) return {};
  return fail(ErrorCode::refused, "model " + manifest.archive.brief(),
              "is not signed by the root key for federation \"" + manifest.federation + "\"", {},
              {ReasonCode::model_not_approved, {}});
}

}  // namespace hansa::secure_aggregation
