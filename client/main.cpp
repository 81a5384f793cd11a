// hansa-client: see run_client.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "client/process/client_process.h"
#include "learning/local_trainer.h"

namespace {
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);
extern "C" void on_signal(int) { stop_asked = true; }

int tell(const hansa::Error& error) {
  std::fprintf(stderr, "hansa-client: %s\n", error.text().c_str());
  return hansa::exit_code(error.code);
}

int run(int argc, char** argv) {
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
  const auto config = hansa::client::read_client_config(file);
  if (!config) return tell(config.error());
  const auto level = hansa::choose_log_level(log_level);
  if (!level) return tell(level.error());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGPIPE, SIG_IGN);
  hansa::learning::LocalTrainerConfig trainer_config;
  trainer_config.data = config->data;
  trainer_config.threads = config->resources.threads;
  trainer_config.memory_bytes_max = config->resources.memory_mib_max << 20;
  const auto trainer = hansa::learning::make_local_trainer(trainer_config);
  const auto log = hansa::Logger::to_stderr(config->name.empty() ? "client" : config->name, *level);
  const auto done = hansa::client::run_client(*config, *trainer, log, stop_asked);
  return done ? 0 : tell(done.error());
}
}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return tell(
        hansa::Error{hansa::ErrorCode::internal, {}, error.what(), "this is a bug; please report it"});
  }
}
