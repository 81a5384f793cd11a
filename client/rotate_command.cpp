// hansa-client rotate: changes the key of this device.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/config/client_config.h"
#include "client/config/client_variables.h"
#include "client/join/rotate.h"
#include "common/program.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

struct RotateOptions {
  std::filesystem::path file;  // client.toml
  std::filesystem::path request, certificate;
  std::string address;
  bool no_wait = false;
};

Result<Rotated> rotate_by_port(const ClientConfig& config, const RotateOptions& options) {
  RotationPlan plan;
  plan.address = options.address.empty() ? config.enrolment : options.address;
  if (plan.address.empty())
    return fail(ErrorCode::usage, config.file.string(),
                "names no address where the aggregator enrols devices",
                "set aggregator.enrolment, or name it: --address tcp://HOST:PORT; without a connection: "
                "--request FILE");
  HANSA_TRY_VOID(transport::check_aggregator_address(plan.address));
  if (options.no_wait) plan.wait = WaitForApproval::no;
  const auto& stop = stop_on_signals();
  return rotate(
      config, plan, [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }, stop);
}

Result<int> run_rotate(const RotateOptions& options) {
  ::umask(077);
  HANSA_TRY(const auto variables, read_client_variables(environ));
  HANSA_TRY(const auto config, read_client_config(options.file, variables));
  if (!options.request.empty()) {
    HANSA_TRY_VOID(write_request(config, options.request));
    std::printf("Next, with a copy of %s in the federation's folder: hansa approve --rotation %s\n",
                options.request.c_str(), options.request.filename().c_str());
    return 0;
  }
  HANSA_TRY(const Rotated rotated, options.certificate.empty()
                                       ? rotate_by_port(config, options)
                                       : take_certificate(config, options.certificate));
  std::printf("\"%s\" has a new key, certified until %s; the former key ends when the device has connected\n",
              rotated.name.c_str(), date_text(rotated.expires).c_str());
  std::printf("A client that is running uses it after its current task. Otherwise: hansa-client %s\n",
              options.file.c_str());
  return 0;
}

}  // namespace

void add_rotate_command(CLI::App& app, CommandOutcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "rotate", "Change this device's key: make a new one here, get it certified, and use it from then on");
  command->footer(
      "Example:\n  hansa-client rotate client.toml\n"
      "Without a connection to the port where devices join:\n"
      "  hansa-client rotate client.toml --request LINE-7.rotation\n"
      "  hansa-client rotate client.toml --certificate LINE-7.next\n"
      "The operator makes the second file from the first one: docs/enrolment.md\n\n"
      "What was interrupted continues when the same command is run again.");
  auto options = std::make_shared<RotateOptions>();
  command->add_option("FILE", options->file, "client.toml")->required();
  command->add_option("--address", options->address,
                      "Where the aggregator enrols devices; default: aggregator.enrolment of client.toml");
  command->add_flag("--no-wait", options->no_wait, "Do not wait until the operator has approved the new key");
  auto* request =
      command->add_option("--request", options->request, "Write the request to this file, for the operator");
  command->add_option("--certificate", options->certificate, "The file NAME.next that the operator sent back")
      ->excludes(request);
  command->callback([options, &outcome] { outcome = {true, run_rotate(*options)}; });
}

}  // namespace hansa::client
