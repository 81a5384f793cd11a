// hansa-client join: enrols this device with the operator's token.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "client/commands.h"
#include "client/join/ask_data.h"
#include "client/join/join.h"
#include "client/join/service_places.h"
#include "client/join/service_start.h"
#include "common/files.h"
#include "common/program.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

constexpr std::size_t data_bytes_max = 64 << 10;

struct JoinOptions {
  std::string token;  // "-": from standard input
  JoinPlan plan;
  std::filesystem::path data;
  bool no_wait = false;
  bool no_start = false;
};

// Starts the package's service if nothing is left to fill in, and prints what to do after the join.
void finish(const Joined& joined, const JoinOptions& options) {
  const bool is_service = options.plan.owner.has_value(), is_complete = !options.plan.data.empty();
  const bool starts = is_service && is_complete && !options.no_start && start_service();
  if (!is_complete)
    std::printf("Next:     fill in [data] in %s%s\n", joined.file.c_str(),
                is_service ? ": files that the user hansa-client may read" : "");
  std::printf("Try it:   hansa-client check %s\n", joined.file.c_str());
  if (starts) std::printf("It starts: systemctl status hansa-client\n");
  else if (is_service) std::printf("Start it: systemctl start hansa-client\n");
  else std::printf("Start it: hansa-client %s\n", joined.file.c_str());
}

Result<int> run_join(JoinOptions options) {
  ::umask(077);
  const bool token_is_read = options.token == "-";
  if (token_is_read && !std::getline(std::cin, options.token))
    return fail(ErrorCode::usage, "standard input", "has no token",
                "pass the line that \"hansa invite\" printed");
  HANSA_TRY(const auto token, enrolment::parse_join_token(options.token));
  if (options.plan.folder.empty()) {
    if (auto service = find_service()) {
      options.plan.folder = service->folder;
      options.plan.file = service->file;
      options.plan.owner = service->user;
    } else {
      options.plan.folder = token.federation;
    }
  }
  if (!options.plan.proxy.empty()) HANSA_TRY_VOID(transport::check_proxy(options.plan.proxy));
  if (!options.data.empty()) {
    HANSA_TRY(options.plan.data, read_text_file(options.data, data_bytes_max));
  } else if (!token_is_read && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) {
    options.plan.data = ask_data(std::cin, std::cerr);
  }
  if (options.no_wait) options.plan.wait = WaitForApproval::no;
  const auto& stop = stop_on_signals();
  const auto note = [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); };
  HANSA_TRY(const Joined joined, join(token, options.plan, note, stop));
  std::printf("joined federation \"%s\" as \"%s\"; the certificate holds until %s\n",
              token.federation.c_str(), joined.name.c_str(), date_text(joined.expires).c_str());
  finish(joined, options);
  return 0;
}

}  // namespace

void add_join_command(CLI::App& app, CommandOutcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "join", "Enrol this device: make its key here, get it certified, and write client.toml");
  command->footer(
      "Example:\n  hansa-client join HANSA1AEAQ...\n  hansa-client join - --data data.txt < token\n\n"
      "An interrupted join continues when the same command is run again.");
  auto options = std::make_shared<JoinOptions>();
  command
      ->add_option("TOKEN", options->token,
                   "The line that \"hansa invite\" printed; - reads it from standard input")
      ->required();
  command->add_option(
      "--folder", options->plan.folder,
      "Folder for client.toml, the key and the state; default: the federation's name; for root, where the "
      "package is installed: /etc/hansa and /var/lib/hansa-client");
  command->add_option("--proxy", options->plan.proxy, "socks5://HOST:PORT or http://HOST:PORT");
  command->add_option(
      "--data", options->data,
      "A file with the lines of [data] for client.toml; default: a terminal is asked, otherwise an "
      "example to fill in");
  command->add_flag("--no-start", options->no_start,
                    "Do not start the package's service, which root's join does when the data is known");
  command->add_flag("--no-wait", options->no_wait, "Do not wait until the operator has approved the device");
  command->callback([options, &outcome] { outcome = {true, run_join(*options)}; });
}

}  // namespace hansa::client
