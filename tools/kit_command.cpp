// hansa kit: everything that a site needs, in one file.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/files.h"
#include "tools/commands.h"
#include "tools/kit.h"

namespace hansa::tools {
namespace {

constexpr std::size_t data_bytes_max = 64 << 10;

struct KitOptions {
  AddPlan plan;
  std::filesystem::path data;
  std::filesystem::path out;
  bool deb = false;
};

Result<void> run_deb_kit(const KitOptions& options) {
  HANSA_TRY(const Kit kit, make_deb_kit(options.plan, options.out));
  fmt::print(
      "{0}: a package with the configuration and the secret key of {1}. Carry it to the site as you would a "
      "password, and delete it then.\n"
      "On the device: apt install ./hansa-client_VERSION.deb ./{2}{3}\n",
      kit.file.string(), options.plan.name, kit.file.filename().string(),
      options.plan.data.empty()
          ? ", then fill in [data] in /etc/hansa/client.toml, and systemctl start hansa-client"
          : "");
  for (const std::string& note : kit.notes) fmt::print("note: {}\n", note);
  return {};
}

Result<void> run_kit(KitOptions options) {
  if (!options.data.empty()) {
    HANSA_TRY(options.plan.data, read_text_file(options.data, data_bytes_max));
    if (options.plan.data.empty())
      return fail(ErrorCode::usage, options.data.string(), "is empty", "write the lines of [data]");
  }
  if (options.deb) return run_deb_kit(options);
  HANSA_TRY(const Kit kit, make_kit(options.plan, options.out));
  fmt::print(
      "{}: the folder of {}, with its secret key. Carry it to the site as you would a password, and delete "
      "it then;\n"
      "its README.txt says what to do there.\n",
      kit.file.string(), options.plan.name);
  for (const std::string& note : kit.notes) fmt::print("note: {}\n", note);
  return {};
}

}  // namespace

void add_kit_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "kit",
      "Make a complete folder for a site without network access to the operator, as one file to carry");
  command->footer(
      "Examples, in a federation's folder:\n  hansa kit ward-3 --address tcp://10.0.0.5:7470\n"
      "  hansa kit ward-3 --deb --data data.txt");
  auto options = std::make_shared<KitOptions>();
  command->add_option("NAME", options->plan.name, "Name of the client; it is added if it is new")->required();
  command->add_option("--folder", options->plan.folder, "The federation's folder")->capture_default_str();
  command->add_option("--root", options->plan.root,
                      "The operator's secret root key; default: keys/root.key in the folder");
  command->add_option(
      "--address", options->plan.addresses,
      "Addresses at which the client reaches the aggregator; default: those of the other clients");
  command->add_option(
      "--data", options->data,
      "A file with the lines of [data] for a new client's client.toml; default: an example to fill in");
  command->add_option("--out", options->out, "The file; default: NAME.tar.gz, or NAME.deb");
  command->add_flag("--deb", options->deb,
                    "Make a Debian package for a device with the package hansa-client; needs dpkg-deb");
  command->callback([options, &outcome] { outcome = run_kit(*options); });
}

}  // namespace hansa::tools
