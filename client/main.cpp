// hansa-client: see client::run.
#include <CLI/CLI.hpp>

#include "client/embed/client.h"
#include "client/process/core_dumps.h"
#include "common/program.h"

namespace {
hansa::Result<int> run(int argc, char** argv) {
  CLI::App app("Trains on this device's data for a federation; the data never leaves the device.");
  app.footer("Example:\n  hansa-client client.toml\n\nExit codes: docs/exit-codes.md");
  std::string file, log_level;
  app.add_option("FILE", file, "client.toml")->required();
  app.add_option("--log-level", log_level, "debug, info, warning, error or off");
  app.set_version_flag("--version", HANSA_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : hansa::exit_code(hansa::ErrorCode::usage);
  }
  HANSA_TRY_VOID(hansa::client::forbid_core_dumps());
  HANSA_TRY(const auto config, hansa::client::read_client_config(file));
  HANSA_TRY(const auto level, hansa::choose_log_level(log_level));
  const auto& stop_asked = hansa::stop_on_signals();
  hansa::client::Options options;
  options.log_level = level;
  HANSA_TRY_VOID(hansa::client::run(config, options, stop_asked));
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  return hansa::run_program("hansa-client", [&] { return run(argc, argv); });
}
