// The longest time that a client waits for the answer to a Ping while a round is committed, with a real engine and a
// real run folder. One client's update of the whole model is the round. Messages are passed directly, without a
// network.
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "common/vector_digest.h"
#include "protocols/messages/codec.h"
#include "server/engine/engine.h"
#include "server/engine/thread_executor.h"
#include "server/store/run_folder.h"

namespace hansa {
namespace {

using namespace server;

struct Options {
  std::uint64_t elements = 100'000'000;
  std::uint32_t rounds = 3;
  std::string executor = "thread";
  std::filesystem::path folder = std::filesystem::temp_directory_path();
};

// Keeps the messages to the two clients, without bulk data.
class Frames final : public Outbox, public EngineObserver {
 public:
  transport::Sent send(PeerId peer, std::span<const std::byte> message, const transport::Bulk&) override {
    const auto decoded = messages::decode_to_client(message);
    const auto* envelope = decoded ? std::get_if<messages::Envelope<messages::ToClient>>(&*decoded) : nullptr;
    if (envelope == nullptr) return transport::Sent::peer_gone;
    if (std::holds_alternative<messages::Welcome>(envelope->message)) sessions[peer] = envelope->session;
    if (const auto* task = std::get_if<messages::TrainTask>(&envelope->message)) tasks[peer] = task->task;
    if (const auto* grant = std::get_if<messages::Grant>(&envelope->message)) granted = grant->limit;
    if (std::holds_alternative<messages::Pong>(envelope->message)) ++pongs;
    return transport::Sent::queued;
  }
  void on_log(const Log& line) override {
    if (line.level == Log::Level::warning) fmt::print(stderr, "{}\n", line.text);
  }
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const RoundRecord&) override { ++commits; }

  std::map<PeerId, SessionId> sessions;
  std::map<PeerId, TaskId> tasks;
  std::uint64_t granted = 0;
  std::uint64_t pongs = 0;
  std::uint32_t commits = 0;
};

struct Measured {
  double commit_s = 0;
  double gap_ms = 0;
};

constexpr PeerId trainer(1), watcher(2);

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        folder_(options.folder / ("hansa-commit-gap-" + std::to_string(::getpid()))),
        delta_(options.elements, 1e-3F) {}
  ~Bench() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  Result<Measured> run() {
    HANSA_TRY(const auto store, RunFolder::open(folder_));
    {
      const PageVector<float> initial(options_.elements, 1.0F);
      RunIdentity identity;
      identity.federation = "bench";
      identity.run = "bench";
      identity.initial_model = vector_digest(initial);
      HANSA_TRY_VOID(store->begin_run(identity, initial));
    }
    EngineConfig config;
    config.wall_clock = [] { return std::string("2026-01-01T00:00:00Z"); };
    auto& c = config.coordinator;
    config.run = "bench";
    c.settings.federation = "bench";
    c.settings.rounds = options_.rounds;
    c.settings.cohort.clients_min = c.settings.cohort.clients_expected = 1;
    c.settings.cohort.size_max = 1;
    c.settings.limits.spool_memory_mib = 1 << 12;
    c.model.elements = options_.elements;
    c.model.archive_bytes = 1;  // it is never fetched
    WorkerPool workers(0);
    SpoolPool spools(folder_, c.settings.limits.spool_memory_mib << 20);
    InlineExecutor at_once;
    ThreadExecutor on_a_thread([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_one();
    });
    Executor& executor =
        options_.executor == "inline" ? static_cast<Executor&>(at_once) : static_cast<Executor&>(on_a_thread);
    HANSA_TRY(engine_, Engine::create(std::move(config),
                                      {*store, frames_, workers, spools, frames_, executor}, steady_now()));
    Measured out;
    hello(trainer, 10);
    for (std::uint32_t round = 1; round <= options_.rounds; ++round) {
      HANSA_TRY_VOID(send_all_but_the_last_chunk());
      if (round == 1) hello(watcher, 0);  // it has no data and only sends Pings
      HANSA_TRY(const Measured last, commit(on_a_thread));
      out.commit_s = std::max(out.commit_s, last.commit_s);
      out.gap_ms = std::max(out.gap_ms, last.gap_ms);
    }
    engine_.reset();
    return out;
  }

 private:
  void say(PeerId peer, const messages::ToAggregator& message, std::span<const std::byte> bulk = {}) {
    const auto frame = messages::encode(frames_.sessions[peer], message);
    engine_->receive(peer, peer == trainer ? "trainer" : "watcher", frame, bulk, steady_now());
  }
  void hello(PeerId peer, std::uint64_t examples) {
    say(peer, messages::Hello{"bench", peer.value, "bench", {examples, 0, {}, {}}});
  }
  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(delta_)); }

  Result<void> send_all_but_the_last_chunk() {
    sent_ = 0;
    frames_.granted = 0;
    messages::Offer offer;
    offer.task = frames_.tasks[trainer];
    offer.update = checksum(bytes());
    offer.bytes = bytes().size();
    offer.examples = 10;
    say(trainer, offer);
    while (next_chunk_bytes() > 0) {
      if (sent_ + next_chunk_bytes() == bytes().size()) return {};
      send_chunk();
    }
    return fail(ErrorCode::internal, "bench", "was granted no more bytes");
  }
  std::size_t next_chunk_bytes() const { return std::min<std::size_t>(chunk_bytes, frames_.granted - sent_); }
  void send_chunk() {
    const auto chunk = bytes().subspan(sent_, next_chunk_bytes());
    const std::uint64_t offset = sent_;
    sent_ += chunk.size();
    say(trainer, messages::UpdateChunk{frames_.tasks[trainer], offset}, chunk);
  }

  // Measures from the last chunk until the round is committed, with one Ping every half millisecond.
  Result<Measured> commit(ThreadExecutor& on_a_thread) {
    const std::uint32_t commits = frames_.commits;
    const Instant began = steady_now();
    Instant answered = began;
    Measured out;
    send_chunk();
    for (bool committed = false; !committed;) {
      on_a_thread.deliver();
      if (engine_->failure()) return tl::unexpected<Error>(*engine_->failure());
      committed = frames_.commits > commits;
      const std::uint64_t pongs = frames_.pongs;
      say(watcher, messages::Ping{});
      if (frames_.pongs == pongs) return fail(ErrorCode::internal, "bench", "got no answer to a Ping");
      const Instant now = steady_now();
      out.gap_ms = std::max(out.gap_ms, 1e3 * seconds(now - answered));
      answered = now;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::microseconds(500),
                        [this] { return std::exchange(woken_, false); });
    }
    out.commit_s = seconds(steady_now() - began);
    return out;
  }

  static constexpr std::size_t chunk_bytes = 256 * 1024;
  Options options_;
  std::filesystem::path folder_;
  std::vector<float> delta_;
  Frames frames_;
  std::unique_ptr<Engine> engine_;
  std::uint64_t sent_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  hansa::Options options;
  CLI::App app("The longest wait for an answer while a round is committed");
  app.add_option("--elements", options.elements, "float32 parameters of the model")
      ->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 1'000));
  app.add_option("--executor", options.executor)->check(CLI::IsMember({"inline", "thread"}));
  app.add_option("--folder", options.folder, "where the run folder is made")->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  const auto measured = hansa::Bench(options).run();
  if (!measured) {
    fmt::print(stderr, "{}\n", measured.error().text());
    return 1;
  }
  fmt::print("{} parameters, {} executor: commit {:.2f} s, longest gap {:.1f} ms\n", options.elements,
             options.executor, measured->commit_s, measured->gap_ms);
  return 0;
}
