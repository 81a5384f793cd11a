// hansa dashboard: the page and the API for runs on which no aggregator of this process works.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "common/program.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"
#include "server/http/listen_address.h"
#include "server/http/server.h"
#include "server/http/token_file.h"
#include "server/monitor/api.h"
#include "server/monitor/run_watch.h"
#include "tools/commands.h"
#include "tools/federation_folder.h"
#include "tools/run_list.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

struct DashboardOptions {
  std::vector<fs::path> folders;
  std::string listen = "127.0.0.1:7473";
  fs::path token_file, certificate, key;
};

// What is on another address than a loopback address is read by others, with a token, and encrypted.
Result<http::ServerConfig> server_config(const DashboardOptions& options) {
  HANSA_TRY(const auto address, http::parse_listen_address(options.listen, "--listen"));
  http::ServerConfig out;
  out.listen = options.listen;
  out.kept_events.clear();
  out.log = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  const bool has_tls = !options.certificate.empty() && !options.key.empty();
  if (has_tls) out.tls = http::TlsFiles{options.certificate, options.key};
  if (!address.is_loopback && (options.token_file.empty() || !has_tls))
    return fail(ErrorCode::usage, "--listen " + options.listen, "is an address that other machines reach",
                "add --token-file, --certificate and --key, or listen on 127.0.0.1 and use an SSH tunnel");
  if (!options.token_file.empty()) {
    HANSA_TRY(out.token, http::read_or_make_token(options.token_file));
    out.token_for_reading = true;
  }
  return out;
}

Result<void> run_dashboard(const DashboardOptions& options) {
  server::ApiParts parts;
  for (const fs::path& folder : options.folders) {
    HANSA_TRY(fs::path runs, find_runs_folder(folder));
    parts.runs.push_back(std::move(runs));
  }
  // The devices of a federation, if it is the only one.
  std::error_code error;
  if (options.folders.size() == 1 && fs::exists(options.folders[0] / "federation.toml", error)) {
    HANSA_TRY(parts.config, read_federation_folder(options.folders[0]));
  }
  parts.version = version();
  parts.commit = commit();
  parts.protocol = messages::protocol_version;
  HANSA_TRY(auto config, server_config(options));
  const std::string scheme = config.tls ? "https" : "http";
  const std::string token = config.token;
  const std::vector<fs::path> folders = parts.runs;
  const auto& stop = stop_on_signals();
  server::Api api(std::move(parts));
  HANSA_TRY(const auto server, http::Server::open(std::move(config), api));
  server::RunWatch watch(folders, [&server](std::string_view event, std::string json) {
    server->publish(event, std::move(json));
  });
  watch.look();
  // The token is for a terminal only: output may end in a log.
  const bool shows_token = !token.empty() && ::isatty(STDOUT_FILENO) == 1;
  fmt::print("dashboard: {}://{}/{}\n", scheme, server->address(), shows_token ? "#token=" + token : "");
  std::fflush(stdout);
  constexpr auto pause = std::chrono::milliseconds(100);
  constexpr int pauses_between_looks = 10;
  for (int i = 1; !stop; ++i) {
    std::this_thread::sleep_for(pause);
    if (i % pauses_between_looks == 0) watch.look();
  }
  return {};
}

}  // namespace

void add_dashboard_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command = hansa.add_subcommand(
      "dashboard", "Show runs in the browser, also finished ones and several federations'");
  command->footer(
      "It ends with Ctrl-C. A running aggregator has a dashboard of its own, which shows more and can act:\n"
      "[dashboard] in federation.toml.\n\nExamples:\n  hansa dashboard mine\n  hansa dashboard mine/runs "
      "other/runs "
      "--listen 127.0.0.1:8080");
  auto options = std::make_shared<DashboardOptions>();
  command
      ->add_option(
          "FOLDER", options->folders,
          "Federations' folders, or folders of runs. The folder of one federation shows its devices too")
      ->required();
  command->add_option("--listen", options->listen, "ADDRESS:PORT; the port 0 means a free one")
      ->capture_default_str();
  command->add_option("--token-file", options->token_file,
                      "Readers need the token in this file, which is made if it does not exist");
  auto* certificate =
      command->add_option("--certificate", options->certificate,
                          "TLS certificate (PEM); needed for addresses that other machines reach");
  auto* key = command->add_option("--key", options->key, "Its secret key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  command->callback([options, &outcome] { outcome = run_dashboard(*options); });
}

}  // namespace hansa::tools
