#include "protocols/enrolment/manifest_file.h"

#include <array>

#include "common/config/document.h"
#include "common/config/name_check.h"
#include "common/files.h"
#include "common/held_out_metrics.h"
#include "common/hex.h"

namespace hansa::enrolment {
namespace {

using config::Setting;
using secure_aggregation::ModelManifest;

constexpr config::Range name_length{.least = 1, .most = 64};
constexpr config::Range digest_length{.least = 71, .most = 71};  // "sha256:" and 64 hex digits

constexpr std::array model_settings{
    Setting{.key = "federation",
            .meaning = "Name of the federation that may train the model.",
            .range = name_length,
            .example = "\"pumps\""},
    Setting{.key = "name", .meaning = "Name of the model.", .range = name_length, .example = "\"pump-wear\""},
    Setting{.key = "version", .meaning = "Its version.", .range = name_length, .example = "\"3\""},
    Setting{.key = "archive",
            .meaning = "SHA-256 of the archive.",
            .range = digest_length,
            .example = "\"sha256:...\""},
    Setting{.key = "layout",
            .meaning = "Digest of the layout of the values that are sent.",
            .range = digest_length,
            .example = "\"sha256:...\""},
    Setting{.key = "metrics",
            .kind = config::Kind::texts,
            .presence = config::Presence::optional,
            .meaning = "Values of the model's metrics() that clients report of held-out examples.",
            .range = {.least = 1, .most = own_metric_bytes_max},
            .example = "[\"auc\"]"},
    Setting{.key = "signature",
            .meaning = "Ed25519 signature by the root key, 128 hex digits.",
            .range = {.least = 128, .most = 128},
            .example = "\"...\""},
};
constexpr std::array tables{
    config::Table{"model", config::Presence::required, "A model that clients may train.", model_settings}};
constexpr config::Schema schema{"ARCHIVE.manifest", "Written by `hansa model sign`.", tables};

Result<Digest> digest_at(const config::Document& document, std::string_view key) {
  auto digest = parse_digest(document.text(key));
  if (!digest)
    return fail(ErrorCode::usage, document.location(key), digest.error().what, "sign the model again");
  return digest;
}

}  // namespace

std::filesystem::path manifest_path(const std::filesystem::path& archive) {
  return archive.string() + ".manifest";
}

Result<ModelManifest> parse_manifest(std::string_view text, const std::filesystem::path& location) {
  HANSA_TRY(const auto document, config::Document::parse(text, location, schema));
  ModelManifest out;
  out.federation = document.text("model.federation");
  out.approval.name = document.text("model.name");
  out.approval.version = document.text("model.version");
  for (const char* key : {"model.federation", "model.name", "model.version"})
    HANSA_TRY_VOID(config::check_name(document.text(key), document.location(key)));
  if (document.has("model.metrics")) out.approval.metrics = document.texts("model.metrics");
  HANSA_TRY_VOID(
      secure_aggregation::check_metric_names(out.approval.metrics, document.location("model.metrics")));
  HANSA_TRY(out.archive, digest_at(document, "model.archive"));
  HANSA_TRY(out.layout, digest_at(document, "model.layout"));
  if (!from_hex(document.text("model.signature"), out.approval.signature))
    return fail(ErrorCode::usage, document.location("model.signature"),
                "contains a character that is not a hex digit", "sign the model again");
  return out;
}

Result<ModelManifest> read_manifest(const std::filesystem::path& file) {
  HANSA_TRY(const std::string text, read_text_file(file, manifest_bytes_max));
  return parse_manifest(text, file);
}

std::string text_of(const ModelManifest& manifest) {
  std::string metrics;
  for (const std::string& metric : manifest.approval.metrics)
    metrics += (metrics.empty() ? "\"" : ", \"") + metric + "\"";
  if (!metrics.empty()) metrics = "metrics = [" + metrics + "]\n";
  return "# Signed by the federation's root key: \"hansa model sign\". Clients train no other archive.\n"
         "[model]\n"
         "federation = \"" +
         manifest.federation + "\"\nname = \"" + manifest.approval.name + "\"\nversion = \"" +
         manifest.approval.version + "\"\narchive = \"" + manifest.archive.text() + "\"\nlayout = \"" +
         manifest.layout.text() + "\"\n" + metrics + "signature = \"" + to_hex(manifest.approval.signature) +
         "\"\n";
}

Result<void> write_manifest(const ModelManifest& manifest, const std::filesystem::path& file) {
  return write_file_atomically(file, text_of(manifest));
}

}  // namespace hansa::enrolment
