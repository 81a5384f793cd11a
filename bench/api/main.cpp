// How long the HTTP API takes for a run of many rounds with many participants, and how much memory: the first answer after
// a start, an answer again, and an answer after one more commit. Without a socket. Prints a table.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/parameter_layout.h"
#include "common/vector_digest.h"
#include "server/monitor/api.h"
#include "server/store/run_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace hansa;
using namespace hansa::server;

constexpr const char* run_name = "bench-20260101-000000";

struct Options {
  std::uint32_t rounds = 10'000;
  std::uint32_t clients = 100;
  fs::path folder = fs::temp_directory_path() / "hansa-bench-api";
};

template <class T>
T checked(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}
void check(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}

std::vector<float> model_of(std::uint32_t round) { return {static_cast<float>(round % 16), 1, 2, 3}; }

RoundRecord record_of(std::uint32_t round, const Digest& model, const Digest& base, std::uint32_t clients) {
  RoundRecord out;
  out.round = RoundId(round);
  out.model = model;
  out.base = base;
  out.started_at = "2026-01-01T00:00:00Z";
  out.seconds = 1;
  out.update_norm = 0.5;
  out.layer_norms = {0.4, 0.3};
  for (std::uint32_t i = 0; i < clients; ++i) {
    Participation p;
    p.client = fmt::format("client-{:04}", i);
    p.outcome = i % 20 == 19 ? Outcome::no_answer : Outcome::counted;
    p.examples = 600;
    p.bytes_up = p.bytes_down = 80'000;
    p.seconds = 2;
    p.train_seconds = 1;
    if (p.outcome == Outcome::counted) p.metrics = {{"loss", 300.0 / round, 600}, {"accuracy", 540, 600}};
    out.participations.push_back(std::move(p));
  }
  return out;
}

void commit(RunFolder& run, std::uint32_t round, std::uint32_t clients) {
  const Digest model = checked(run.put_model(model_of(round)));
  check(run.commit_round(record_of(round, model, checked(run.position())->model, clients)));
}

// Of this process.
double resident_mib() {
  std::ifstream status("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  status >> total >> resident;
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

void measure(Api& api, const char* what, const std::string& path,
             std::map<std::string, std::string> query = {}) {
  const auto begin = std::chrono::steady_clock::now();
  const http::Response answer = api.handle({"GET", "/api/v1" + path, std::move(query), "", false});
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<58} {:>10.2f} ms {:>9} bytes {:>8.1f} MiB resident\n", what, took.count(),
             answer.body.size(), resident_mib());
  if (answer.status != 200) {
    fmt::print(stderr, "{}\n", answer.body);
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures the HTTP API over a long run");
  Options options;
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_option("--clients", options.clients)->capture_default_str();
  app.add_option("--folder", options.folder, "The run is made in it, and kept")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const fs::path folder = options.folder / run_name;
  auto run = checked(RunFolder::open(folder));
  const auto layout = checked(ParameterLayout::create(
      {{"weight", {3}, ParameterKind::trainable}, {"bias", {1}, ParameterKind::trainable}}));
  if (!checked(run->identity())) {
    RunIdentity identity;
    identity.federation = "bench";
    identity.run = run_name;
    identity.layout = layout.digest();
    identity.initial_model = vector_digest(model_of(0));
    check(run->put_layout(layout.text()));
    check(run->begin_run(identity, model_of(0)));
  }
  for (std::uint32_t round = checked(run->position())->round.value + 1; round <= options.rounds; ++round)
    commit(*run, round, options.clients);

  const std::string path = std::string("/runs/") + run_name;
  ApiParts parts;
  parts.runs = {options.folder};
  Api charts(parts), list(parts);
  fmt::print("{} rounds of {} clients; {:.1f} MiB resident before the first request\n", options.rounds,
             options.clients, resident_mib());
  const std::string newest = std::to_string(options.rounds - 20);
  measure(charts, "rounds?points=500, first", path + "/rounds", {{"points", "500"}});
  measure(charts, "rounds?points=500, again", path + "/rounds", {{"points", "500"}});
  measure(charts, "rounds?after=LAST-20, first", path + "/rounds", {{"after", newest}});
  commit(*run, options.rounds + 1, options.clients);
  measure(charts, "rounds?points=500, after a commit", path + "/rounds", {{"points", "500"}});
  commit(*run, options.rounds + 2, options.clients);
  measure(charts, "rounds?after=LAST-20, after a commit", path + "/rounds", {{"after", newest}});
  measure(charts, "a round with its participants", path + "/rounds/" + newest);
  measure(charts, "model: norms of layers over 200 rounds", path + "/model");
  measure(list, "runs without evaluations, first", "/runs");
  measure(list, "runs, again", "/runs");
  commit(*run, options.rounds + 3, options.clients);
  measure(list, "runs, after a commit", "/runs");
  return 0;
}
