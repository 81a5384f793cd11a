// hansa keys generate | public | certify | show (rotate and state: keys_rotate_command.cpp): keys of devices, aggregators and the operator.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/config/name_check.h"
#include "common/files.h"
#include "common/utc.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "tools/commands.h"
#include "tools/renewal.h"

namespace hansa::tools {
namespace {

struct GenerateOptions {
  std::string name;
  std::filesystem::path folder = ".";
};

Result<void> run_generate(const GenerateOptions& options) {
  HANSA_TRY_VOID(config::check_name(options.name, "NAME \"" + options.name + "\""));
  const auto secret_file = options.folder / (options.name + ".key");
  const auto public_file = options.folder / (options.name + ".pub");
  for (const auto& file : {secret_file, public_file}) {
    std::error_code error;
    if (std::filesystem::exists(file, error))
      return fail(ErrorCode::usage, file.string(), "exists already",
                  "keys are never overwritten: move the file, or choose another name");
  }
  HANSA_TRY_VOID(make_folders(options.folder));
  HANSA_TRY(const transport::SecretKey secret, transport::generate_secret_key());
  HANSA_TRY(const enrolment::DeviceFile device, enrolment::describe(secret));
  HANSA_TRY_VOID(transport::write_secret_key(secret, secret_file));
  HANSA_TRY_VOID(enrolment::write_device_file(device, public_file));
  fmt::print("secret key: {} (keep it on this machine)\npublic key: {}\n{}\n", secret_file.string(),
             public_file.string(), device.key.text());
  return {};
}

Result<void> run_public(const std::filesystem::path& file) {
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(file));
  HANSA_TRY(const enrolment::DeviceFile device, enrolment::describe(secret));
  auto public_file = file;
  public_file.replace_extension(".pub");
  HANSA_TRY_VOID(enrolment::write_device_file(device, public_file));
  fmt::print("public key: {}\n", public_file.string());
  return {};
}

struct CertifyOptions {
  std::filesystem::path root;
  std::string federation;
  std::uint32_t days = enrolment::CertificateTerm().days;
  std::uint32_t epoch = 0;  // 0: not given
  std::vector<std::filesystem::path> files;
  bool all = false;
  std::filesystem::path folder = "admitted";  // of all
  std::uint32_t expiring_days = 0;  // 0: not given
};

void print_certified(const std::filesystem::path& file, const std::string& federation,
                     const secure_aggregation::Validity& validity) {
  fmt::print("certified {} as \"{}\" of federation \"{}\" until {}, epoch {}\n", file.string(),
             file.stem().string(), federation, date_text(validity.expires), validity.epoch);
}

Result<void> run_certify_all(const CertifyOptions& options, const secure_aggregation::SigningKey& root,
                             const enrolment::CertificateTerm& term) {
  RenewalPlan plan{options.folder, options.federation, term};
  if (options.expiring_days > 0) plan.expiring_days = options.expiring_days;
  HANSA_TRY(const auto renewals, renew_certificates(plan, root));
  std::size_t renewed = 0, failed = 0;
  for (const Renewal& renewal : renewals) {
    if (!renewal.renewed) continue;
    if (*renewal.renewed) print_certified(renewal.file, options.federation, **renewal.renewed);
    else fmt::print(stderr, "not renewed: {}\n", renewal.renewed->error().text());
    ++(*renewal.renewed ? renewed : failed);
  }
  fmt::print("{} certificates renewed, {} hold for longer\n", renewed, renewals.size() - renewed - failed);
  if (failed > 0)
    return fail(ErrorCode::refused, options.folder.string(),
                fmt::format("has {} files that were not renewed", failed), "the reasons are above");
  return {};
}

Result<void> run_certify(const CertifyOptions& options) {
  HANSA_TRY_VOID(config::check_name(options.federation, "--federation \"" + options.federation + "\""));
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(options.root));
  HANSA_TRY(const auto root, enrolment::identity_of(secret));
  enrolment::CertificateTerm term{utc_seconds_now(), options.days, std::nullopt};
  if (options.epoch > 0) term.epoch = options.epoch;
  if (options.all) return run_certify_all(options, root, term);
  if (options.files.empty())
    return fail(ErrorCode::usage, "FILE", "is missing",
                "name the files NAME.pub, or renew the certificates of a folder with --all");
  for (const auto& file : options.files) {
    HANSA_TRY_VOID(config::check_name(file.stem().string(), file.string()));
    HANSA_TRY(const auto validity, enrolment::certify_file(file, options.federation, root, term));
    print_certified(file, options.federation, validity);
  }
  return {};
}

struct ShowOptions {
  std::filesystem::path file;
  bool identity = false;
};

// Only its owner may be able to read a secret key's file, while everyone may read a public key's. The suffix tells
// which of the two the operator means.
Result<void> run_show(const ShowOptions& options) {
  enrolment::DeviceFile device;
  if (options.file.extension() == ".pub") {
    HANSA_TRY(device, enrolment::read_device_file(options.file));
  } else {
    HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(options.file));
    HANSA_TRY(device, enrolment::describe(secret));
  }
  if (options.identity && !device.identity)
    return fail(ErrorCode::usage, options.file.string(), "has no identity, because an older Hansa wrote it",
                "write it again from its .key file: hansa keys public NAME.key");
  fmt::print("{}\n", options.identity ? enrolment::text_of(*device.identity) : device.key.text());
  return {};
}

}  // namespace

void add_keys_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* keys = hansa.add_subcommand("keys", "Create, certify and show keys");
  keys->require_subcommand(1);
  keys->footer(
      "Examples:\n  hansa keys generate pump-7\n"
      "  hansa keys certify --root keys/root.key --federation pumps admitted/pump-7.pub");

  CLI::App* generate = keys->add_subcommand("generate", "Create a key pair: NAME.key and NAME.pub");
  generate->footer(
      "Example, on a device. Then copy pump-7.pub to the aggregator's folder of admitted clients.\n"
      "  hansa keys generate pump-7");
  auto options = std::make_shared<GenerateOptions>();
  generate->add_option("NAME", options->name, "Name of the device or aggregator")->required();
  generate->add_option("--folder", options->folder, "Folder for the files")->capture_default_str();
  generate->callback([options, &outcome] { outcome = run_generate(*options); });

  CLI::App* publish = keys->add_subcommand("public", "Write NAME.pub again from NAME.key");
  publish->footer("Example:\n  hansa keys public keys/pump-7.key");
  auto secret_file = std::make_shared<std::filesystem::path>();
  publish->add_option("FILE", *secret_file, "A .key file")->required();
  publish->callback([secret_file, &outcome] { outcome = run_public(*secret_file); });

  CLI::App* certify = keys->add_subcommand(
      "certify",
      "Sign devices' .pub files, or renew their certificates, so that other clients accept them in secure "
      "aggregation");
  certify->footer(
      "Example, on the operator's machine, which keeps the root key:\n"
      "  hansa keys generate root\n"
      "  hansa keys certify --root root.key --federation pumps admitted/*.pub\n"
      "The same command renews the certificates; to renew those of all devices that expire within a month:\n"
      "  hansa keys certify --root root.key --federation pumps --all --expiring 30\n"
      "To end all earlier ones, for example if a device was "
      "stolen,\n"
      "remove its file, add --epoch 2, and set secure_aggregation.epoch = 2 in federation.toml.");
  auto certify_options = std::make_shared<CertifyOptions>();
  certify->add_option("--root", certify_options->root, "The operator's secret root key")->required();
  certify->add_option("--federation", certify_options->federation, "Name of the federation")->required();
  certify->add_option("--days", certify_options->days, "Days until the certificates expire")
      ->check(CLI::Range(1, 36'500))
      ->capture_default_str();
  certify
      ->add_option("--epoch", certify_options->epoch,
                   "Epoch of the certificates; by default that of the present one, or 1")
      ->check(CLI::Range(std::uint32_t{1}, std::uint32_t{4'294'967'295}));
  auto* files =
      certify->add_option("FILE", certify_options->files, "NAME.pub of each device; NAME is its client name");
  auto* all = certify
                  ->add_flag("--all", certify_options->all,
                             "Renew every certificate in the folder that this root key has signed")
                  ->excludes(files);
  certify->add_option("--folder", certify_options->folder, "Folder of the NAME.pub files, for --all")
      ->capture_default_str()
      ->needs(all);
  certify
      ->add_option("--expiring", certify_options->expiring_days,
                   "With --all, only the certificates that expire within this number of days")
      ->check(CLI::Range(1, 36'500))
      ->needs(all);
  certify->callback([certify_options, &outcome] { outcome = run_certify(*certify_options); });

  add_keys_rotate_commands(*keys, outcome);

  CLI::App* show = keys->add_subcommand("show", "Print the public key of a .key or .pub file");
  show->footer("Example:\n  hansa keys show keys/aggregator.key\n  hansa keys show --identity keys/root.pub");
  auto show_options = std::make_shared<ShowOptions>();
  show->add_option("FILE", show_options->file, "A .key or .pub file")->required();
  show->add_flag("--identity", show_options->identity,
                 "Print the signing identity instead: for a root key, the value of secure_aggregation.root");
  show->callback([show_options, &outcome] { outcome = run_show(*show_options); });
}

}  // namespace hansa::tools
