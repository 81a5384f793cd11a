// Rounds without training: the real hansa-aggregator as a child process, and real clients (threads of
// this process) over CURVE sockets whose trainer answers at once. Prints the median time of a round in steady
// state, measured from one commit line to the next, and the aggregator's peak resident memory.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/process/client_process.h"
#include "common/files.h"

namespace hansa {
namespace {

class IdleTrainer final : public learning::Trainer {
 public:
  Result<learning::DataAtHand> data_at_hand() override { return learning::DataAtHand{100, 0, {}}; }
  Result<learning::TrainingResult> train(const learning::TrainingRequest&, std::span<const float>,
                                         std::span<float> delta, std::stop_token) override {
    std::fill(delta.begin(), delta.end(), 0.001F);
    learning::TrainingResult result;
    result.examples = result.samples = 100;
    return result;
  }
};

struct Figures {
  double round_ms = 0;
  double peak_mib = 0;
};

Result<void> write_federation(const std::filesystem::path& folder, const std::filesystem::path& model,
                              unsigned clients, unsigned rounds) {
  HANSA_TRY_VOID(make_folders(folder / "admitted"));
  HANSA_TRY(const auto key, transport::generate_secret_key());
  HANSA_TRY_VOID(transport::write_secret_key(key, folder / "aggregator.key"));
  for (unsigned i = 0; i < clients; ++i) {
    HANSA_TRY(const auto client_key, transport::generate_secret_key());
    HANSA_TRY_VOID(transport::write_secret_key(client_key, folder / fmt::format("client-{}.key", i)));
    HANSA_TRY(const auto client_public, client_key.public_key());
    HANSA_TRY_VOID(
        transport::write_public_key(client_public, folder / "admitted" / fmt::format("client-{}.pub", i)));
  }
  const std::string text = fmt::format(
      "[federation]\nname = \"bench\"\nrounds = {}\n[aggregator]\nbind = \"tcp://127.0.0.1:0\"\nkey = "
      "\"aggregator.key\"\n"
      "admitted = \"admitted\"\nruns = \"runs\"\n[model]\narchive = \"{}\"\n[cohort]\nclients_min = "
      "{}\nquorum = 1.0\n",
      rounds, model.string(), clients);
  return write_file_atomically(folder / "federation.toml", text);
}

double peak_mib_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

Result<Figures> measure(const std::filesystem::path& folder, const std::filesystem::path& model,
                        unsigned clients, unsigned rounds) {
  HANSA_TRY_VOID(write_federation(folder, model, clients, rounds));
  int ends[2];
  if (::pipe(ends) != 0) return fail(ErrorCode::resource, "pipe", "cannot be made");
  const std::string program = (program_folder() / "hansa-aggregator").string();
  const std::string file = (folder / "federation.toml").string();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::execl(program.c_str(), program.c_str(), file.c_str(), "--progress", "plain", "--log-level", "warning",
            nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  FILE* lines = ::fdopen(ends[0], "r");
  HANSA_TRY(const auto key, transport::read_secret_key(folder / "aggregator.key"));
  HANSA_TRY(const auto aggregator, key.public_key());

  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::vector<double> commits;
  Figures figures;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, lines) != nullptr) {
    const std::string line(buffer);
    if (const auto at = line.find("tcp://"); at != std::string::npos && threads.empty()) {
      for (unsigned i = 0; i < clients; ++i) {
        client::ClientConfig config;
        config.federation = "bench";
        config.addresses = {line.substr(at, line.find(',', at) - at)};
        config.aggregator_key = aggregator;
        config.key = folder / fmt::format("client-{}.key", i);
        config.state = folder / fmt::format("state-{}", i);
        threads.emplace_back([config = std::move(config), &stop] {
          IdleTrainer trainer;
          client::ClientData data;
          data.state = *client::StateStore::in_memory();
          (void)client::run_client(config, data, trainer, Logger(), stop);
        });
      }
    }
    if (line.find("clients counted") != std::string::npos) {
      commits.push_back(seconds(steady_now().time_since_epoch()));
      figures.peak_mib = std::max(figures.peak_mib, peak_mib_of(pid));
    }
  }
  std::fclose(lines);
  int status = 0;
  ::waitpid(pid, &status, 0);
  stop = true;
  for (auto& thread : threads) thread.join();
  if (status != 0 || commits.size() < 3) return fail(ErrorCode::internal, program, "did not run its rounds");
  std::vector<double> took;
  for (std::size_t i = 2; i < commits.size(); ++i)
    took.push_back(commits[i] - commits[i - 1]);  // the first is not steady
  std::nth_element(took.begin(), took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2), took.end());
  figures.round_ms = took[took.size() / 2] * 1000;
  return figures;
}

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  CLI::App app("Rounds without training over real sockets.");
  std::string folder, model;
  unsigned clients = 10, rounds = 100;
  app.add_option("--folder", folder)->required();
  app.add_option("--model", model)->required();
  app.add_option("--clients", clients);
  app.add_option("--rounds", rounds);
  CLI11_PARSE(app, argc, argv);
  const auto figures = hansa::measure(folder, model, clients, rounds);
  if (!figures) {
    std::fprintf(stderr, "hansa-bench-data-plane: %s\n", figures.error().text().c_str());
    return 1;
  }
  std::printf("%.3f %.1f\n", figures->round_ms, figures->peak_mib);
}
