#include "bench/loadgen/aggregator_child.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"

namespace hansa::loadgen {
namespace {

double peak_mib_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}

}  // namespace

Result<void> make_federation(const FederationPlan& plan) {
  HANSA_TRY_VOID(make_folders(plan.folder / "admitted"));
  HANSA_TRY(const auto key, transport::generate_secret_key());
  HANSA_TRY_VOID(transport::write_secret_key(key, plan.folder / "aggregator.key"));
  for (unsigned i = 0; i < plan.clients; ++i) {
    HANSA_TRY(const auto client_key, transport::generate_secret_key());
    HANSA_TRY_VOID(transport::write_secret_key(client_key, plan.folder / fmt::format("client-{}.key", i)));
    HANSA_TRY(const auto client_public, client_key.public_key());
    HANSA_TRY_VOID(transport::write_public_key(client_public,
                                               plan.folder / "admitted" / fmt::format("client-{}.pub", i)));
  }
  const std::string text = fmt::format(
      "[federation]\nname = \"bench\"\nrounds = {}\n[aggregator]\nbind = \"tcp://127.0.0.1:0\"\nkey = "
      "\"aggregator.key\"\nadmitted = \"admitted\"\nruns = \"runs\"\n[model]\narchive = \"{}\"\n[cohort]\n"
      "clients_min = {}\nquorum = 0.5\nwait_s = 600\ndeadline_s = 600\n{}{}",
      plan.rounds, plan.model.string(), plan.clients,
      plan.compression.empty() ? "" : "[compression]\n" + plan.compression + "\n",
      plan.spool_memory_mib == 0 ? ""
                                 : fmt::format("[limits]\nspool_memory_mib = {}\n", plan.spool_memory_mib));
  return write_file_atomically(plan.folder / "federation.toml", text);
}

Result<std::unique_ptr<AggregatorChild>> AggregatorChild::start(const std::filesystem::path& folder) {
  int ends[2];
  if (::pipe(ends) != 0) return fail(ErrorCode::resource, "pipe", "cannot be created");
  const std::string program = (program_folder() / "hansa-aggregator").string();
  const std::string file = (folder / "federation.toml").string();
  std::unique_ptr<AggregatorChild> child(new AggregatorChild());
  child->pid_ = ::fork();
  if (child->pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::execl(program.c_str(), program.c_str(), file.c_str(), "--new", "--progress", "plain", "--log-level",
            "error", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  child->lines_ = ::fdopen(ends[0], "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, child->lines_) != nullptr) {
    const std::string line(buffer);
    const auto at = line.find("tcp://");
    if (at == std::string::npos) continue;
    child->address_ = line.substr(at, line.find(',', at) - at);
    child->reader_ = std::thread([raw = child.get()] { raw->read_lines(); });
    return child;
  }
  return fail(ErrorCode::internal, program, "did not start");
}

void AggregatorChild::read_lines() {
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, lines_) != nullptr) {
    if (std::string(buffer).find("clients counted") == std::string::npos) continue;
    const std::lock_guard lock(mutex_);
    commits_.push_back(steady_now());
    peak_mib_ = std::max<double>(peak_mib_, peak_mib_of(pid_));
  }
  ended_ = true;
}

std::vector<Instant> AggregatorChild::commits() {
  const std::lock_guard lock(mutex_);
  return commits_;
}

bool AggregatorChild::succeeded() {
  if (reader_.joinable()) reader_.join();
  if (status_ < 0) ::waitpid(pid_, &status_, 0);
  return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
}

AggregatorChild::~AggregatorChild() {
  if (pid_ > 0 && status_ < 0 && !ended_) ::kill(pid_, SIGKILL);
  (void)succeeded();
  if (lines_ != nullptr) std::fclose(lines_);
}

}  // namespace hansa::loadgen
