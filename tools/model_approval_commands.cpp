// hansa model sign | verify: the operator's approval of a model archive, which clients require.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/config/name_check.h"
#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/manifest_file.h"
#include "server/config/federation_config.h"
#include "tools/commands.h"
#include "tools/model_signing.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct SignOptions {
  SigningPlan plan;
  fs::path key;
  fs::path config;  // empty: federation.toml in the folder of the archive, if there is one
  std::vector<std::string> metrics;
  bool no_metrics = false;
};

// The federation and its personal parameters come from --config, or from the options.
Result<SigningPlan> complete(const SignOptions& options) {
  SigningPlan plan = options.plan;
  if (options.no_metrics || !options.metrics.empty()) plan.metrics = options.metrics;
  fs::path config = options.config;
  std::error_code error;
  const fs::path neighbour = plan.archive.parent_path() / "federation.toml";
  if (config.empty() && plan.federation.empty() && fs::exists(neighbour, error)) config = neighbour;
  if (!config.empty()) {
    HANSA_TRY(const auto federation, server::read_federation_config(config));
    if (plan.federation.empty()) plan.federation = federation.name;
    if (plan.personal.empty()) plan.personal = federation.personal;
  }
  if (plan.federation.empty())
    return fail(ErrorCode::usage, plan.archive.string(),
                "has no federation.toml in its folder that names the federation",
                "add --config federation.toml, or --federation NAME");
  if (plan.name.empty()) {
    plan.name = plan.archive.stem().string();
    if (!config::check_name(plan.name, "")) plan.name = "model";
  }
  return plan;
}

Result<void> run_sign(const SignOptions& options) {
  HANSA_TRY(const SigningPlan plan, complete(options));
  HANSA_TRY(const auto draft, draft_manifest(plan));  // before the key is in this process
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(options.key));
  HANSA_TRY(const auto root, enrolment::identity_of(secret));
  HANSA_TRY(const auto manifest, sign_archive(plan.archive, draft, root));
  const std::vector<std::string>& metrics = manifest.approval.metrics;
  fmt::print("{}: model \"{}\", version \"{}\", signed for federation \"{}\" by {}\n{}",
             enrolment::manifest_path(plan.archive).string(), printable(manifest.approval.name),
             printable(manifest.approval.version), printable(manifest.federation),
             enrolment::text_of(root.public_key()),
             metrics.empty() ? ""
                             : fmt::format("clients report {} of the examples that they hold out; "
                                           "--no-metrics signs without\n",
                                           printable(fmt::format("{}", fmt::join(metrics, ", ")))));
  return {};
}

struct VerifyOptions {
  fs::path archive;
  std::string root;  // 64 hex digits, or a .pub file
};

Result<secure_aggregation::IdentityKey> read_root(const std::string& root) {
  if (!root.ends_with(".pub")) return enrolment::parse_identity(root, "--root");
  HANSA_TRY(const auto device, enrolment::read_device_file(root));
  if (!device.identity)
    return fail(ErrorCode::usage, root, "has no identity", "write it with \"hansa keys public\"");
  return *device.identity;
}

Result<void> run_verify(const VerifyOptions& options) {
  HANSA_TRY(const auto root, read_root(options.root));
  HANSA_TRY(const auto manifest, verify_archive(options.archive, root));
  fmt::print(
      "signed: model \"{}\", version \"{}\", of federation \"{}\"\narchive: {}\nlayout: {}\nmetrics: {}\n",
      printable(manifest.approval.name), printable(manifest.approval.version), printable(manifest.federation),
      manifest.archive.text(), manifest.layout.text(),
      manifest.approval.metrics.empty()
          ? "none"
          : printable(fmt::format("{}", fmt::join(manifest.approval.metrics, ", "))));
  return {};
}

}  // namespace

void add_model_approval_commands(CLI::App& model, Outcome& outcome) {
  CLI::App* sign =
      model.add_subcommand("sign", "Sign an archive with the root key, so that clients train it");
  sign->footer(
      "Writes ARCHIVE.manifest.\nExample, on the operator's machine, which keeps the root key:\n"
      "  hansa model sign model.pt --key keys/root.key --federation pumps --name pump-wear --version 3");
  auto options = std::make_shared<SignOptions>();
  sign->add_option("ARCHIVE", options->plan.archive, "A TorchScript archive")->required();
  sign->add_option("--key", options->key, "The operator's secret root key")->required();
  sign->add_option("--federation", options->plan.federation,
                   "Name of the federation; default: that of federation.toml in the folder of the archive");
  sign->add_option("--config", options->config, "Another federation.toml, for the name and [model] personal");
  sign->add_option("--personal", options->plan.personal,
                   "The federation's [model] personal, without --config");
  sign->add_option("--name", options->plan.name, "Name of the model; default: that of the file");
  CLI::Option* metric =
      sign->add_option("--metric", options->metrics,
                       "A value of the model's metrics() that clients report of the examples that they hold "
                       "out; default: all that its code names");
  sign->add_flag("--no-metrics", options->no_metrics, "Clients report none of them")->excludes(metric);
  sign->add_option("--version", options->plan.version, "Version of the model")->capture_default_str();
  sign->callback([options, &outcome] { outcome = run_sign(*options); });

  CLI::App* verify = model.add_subcommand("verify", "Check an archive's manifest: its signature and digest");
  verify->footer("Example:\n  hansa model verify model.pt --root keys/root.pub");
  auto verify_options = std::make_shared<VerifyOptions>();
  verify
      ->add_option("ARCHIVE", verify_options->archive,
                   "A TorchScript archive with its manifest in the same folder")
      ->required();
  verify
      ->add_option("--root", verify_options->root, "The root key's identity, 64 hex digits, or its .pub file")
      ->required();
  verify->callback([verify_options, &outcome] { outcome = run_verify(*verify_options); });
}

}  // namespace hansa::tools
