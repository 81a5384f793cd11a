// hansa keys generate | show: a device's or an aggregator's identity.
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/config/name_check.h"
#include "common/files.h"
#include "protocols/transport/keys.h"
#include "tools/commands.h"

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
      return fail(ErrorCode::usage, file.string(), "is there already",
                  "keys are never overwritten: move it away, or choose another name");
  }
  HANSA_TRY_VOID(make_folders(options.folder));
  HANSA_TRY(const transport::SecretKey secret, transport::generate_secret_key());
  HANSA_TRY(const transport::PublicKey key, secret.public_key());
  HANSA_TRY_VOID(transport::write_secret_key(secret, secret_file));
  HANSA_TRY_VOID(transport::write_public_key(key, public_file));
  fmt::print("secret key: {} (stays on its machine)\npublic key: {}\n{}\n", secret_file.string(),
             public_file.string(), key.text());
  return {};
}

// A secret key's file must be readable by its owner alone, a public key's may be anything: the suffix
// says which of the two the operator means.
Result<void> run_show(const std::filesystem::path& file) {
  if (file.extension() == ".pub") {
    HANSA_TRY(const transport::PublicKey key, transport::read_public_key(file));
    fmt::print("{}\n", key.text());
    return {};
  }
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(file));
  HANSA_TRY(const transport::PublicKey key, secret.public_key());
  fmt::print("{}\n", key.text());
  return {};
}

}  // namespace

void add_keys_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* keys = hansa.add_subcommand("keys", "Make and show keys");
  keys->require_subcommand(1);

  CLI::App* generate = keys->add_subcommand("generate", "Make a key pair: NAME.key and NAME.pub");
  generate->footer(
      "Example, on a device; then copy pump-7.pub into the aggregator's folder of admitted clients:\n"
      "  hansa keys generate pump-7");
  auto options = std::make_shared<GenerateOptions>();
  generate->add_option("NAME", options->name, "Name of the device or aggregator")->required();
  generate->add_option("--folder", options->folder, "Where the files go")->capture_default_str();
  generate->callback([options, &outcome] { outcome = run_generate(*options); });

  CLI::App* show = keys->add_subcommand("show", "Print the public key of a .key or .pub file");
  show->footer("Example:\n  hansa keys show keys/aggregator.key");
  auto file = std::make_shared<std::filesystem::path>();
  show->add_option("FILE", *file, "A .key or .pub file")->required();
  show->callback([file, &outcome] { outcome = run_show(*file); });
}

}  // namespace hansa::tools
