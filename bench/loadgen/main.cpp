// hansa-loadgen: thousands of fake clients in one process, which use the real protocol with a real hansa-aggregator.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/loadgen/aggregator_child.h"
#include "bench/loadgen/fake_client.h"
#include "bench/loadgen/raw_curve.h"
#include "common/descriptor.h"

namespace hansa::loadgen {
namespace {

class Barrier final : public Together {
 public:
  explicit Barrier(unsigned clients) : clients_(clients) {}
  std::uint64_t offered() override {
    const std::uint64_t number = offers_.fetch_add(1);
    return number / clients_ + 1;
  }
  [[nodiscard]] bool released(std::uint64_t turn) const override { return offers_ >= turn * clients_; }

 private:
  unsigned clients_;
  std::atomic<std::uint64_t> offers_ = 0;
};

// Drives some of the clients on the calling thread.
class Driver {
 public:
  Driver(std::vector<std::unique_ptr<FakeClient>>& clients, std::size_t first, std::size_t step)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = first; i < clients.size(); i += step) mine_.push_back({clients[i].get(), 0, -1});
  }

  void run(const AggregatorChild& aggregator, const std::atomic<bool>& stop) {
    std::vector<epoll_event> events(512);
    Instant next_scan{};
    while (!stop && !aggregator.ended()) {
      const Instant now = steady_now();
      if (now >= next_scan) next_scan = tick_all(now);
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next_scan - steady_now()).count();
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     static_cast<int>(std::clamp<std::int64_t>(wait, 0, 20)));
      for (int i = 0; i < count; ++i) {
        Entry& entry = mine_[events[static_cast<std::size_t>(i)].data.u64];
        serve(entry);
        if (entry.client->next_tick() < next_scan) next_scan = entry.client->next_tick();
      }
    }
  }

 private:
  struct Entry {
    FakeClient* client;
    std::uint64_t socket;  // the socket that is watched
    int descriptor;
  };

  void serve(Entry& entry) {
    // A ZeroMQ descriptor signals only changes, so all waiting messages are handled.
    while (entry.client->pump(64)) {
    }
  }

  Instant tick_all(Instant now) {
    Instant next = now + std::chrono::milliseconds(20);
    for (std::size_t i = 0; i < mine_.size(); ++i) {
      Entry& entry = mine_[i];
      if (now >= entry.client->next_tick()) {
        entry.client->tick();
        watch(entry, i);
        serve(entry);
      }
      next = std::min(next, entry.client->next_tick());
    }
    return next;
  }

  void watch(Entry& entry, std::size_t index) {
    if (entry.socket == entry.client->sockets()) return;
    entry.socket = entry.client->sockets();
    entry.descriptor = entry.client->descriptor();
    if (entry.descriptor < 0) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, entry.descriptor, &event);
  }

  Descriptor epoll_;
  std::vector<Entry> mine_;
};

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

struct Options {
  FederationPlan plan;
  unsigned threads = 2;
  Behaviour behaviour;
  unsigned slow = 0;
  double slow_pause_ms = 50;
  unsigned warm_up = 2;  // initial rounds that are not measured
};

Result<void> run(const Options& options) {
  rlimit files{1 << 20, 1 << 20};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  HANSA_TRY_VOID(make_federation(options.plan));
  HANSA_TRY(const auto key, transport::read_secret_key(options.plan.folder / "aggregator.key"));
  HANSA_TRY(const auto aggregator_key, key.public_key());
  HANSA_TRY(const auto aggregator, AggregatorChild::start(options.plan.folder));
  zmq::context_t context(static_cast<int>(options.threads), static_cast<int>(options.plan.clients) + 16);
  Barrier barrier(options.plan.clients);
  std::vector<std::unique_ptr<FakeClient>> clients;
  for (unsigned i = 0; i < options.plan.clients; ++i) {
    HANSA_TRY(auto client_key,
              transport::read_secret_key(options.plan.folder / fmt::format("client-{}.key", i)));
    Behaviour behaviour = options.behaviour;
    if (i < options.slow) behaviour.read_pause = from_seconds(options.slow_pause_ms / 1e3);
    clients.push_back(std::make_unique<FakeClient>(context, aggregator->address(), aggregator_key,
                                                   std::move(client_key), behaviour, barrier, 1 + i));
  }
  const Instant began = steady_now();
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] { Driver(clients, t, options.threads).run(*aggregator, stop); });
  for (auto& thread : threads) thread.join();
  const bool succeeded = aggregator->succeeded();
  const auto commits = aggregator->commits();
  if (!succeeded || commits.size() < options.warm_up + 1)
    return fail(ErrorCode::internal, "hansa-aggregator", "did not finish its rounds");

  std::vector<double> rounds, latencies, turnarounds, ingests;
  for (std::size_t r = options.warm_up; r < commits.size(); ++r) {
    rounds.push_back(seconds(commits[r] - commits[r - 1]));
    // For rounds in which every client was counted.
    Instant first = Instant::max(), last{}, next = Instant::max();
    for (const auto& client : clients) {
      const Observed& o = client->observed();
      if (r >= o.counted.size()) continue;
      first = std::min(first, o.first_chunk[r]);
      last = std::max(last, o.last_chunk[r]);
      if (r + 1 < o.task.size()) next = std::min(next, o.task[r + 1]);
    }
    if (first < commits[r]) ingests.push_back(seconds(commits[r] - first));
    if (next != Instant::max()) turnarounds.push_back(seconds(next - last));
  }
  std::uint64_t disconnects = 0;
  Instant all_connected{};
  for (const auto& client : clients) {
    const Observed& o = client->observed();
    disconnects += o.disconnects;
    if (!o.task.empty()) all_connected = std::max(all_connected, o.task.front());
    for (std::size_t r = options.warm_up; r < std::min(o.task.size(), o.counted.size()); ++r)
      latencies.push_back(seconds(o.counted[r] - o.task[r]));
  }
  fmt::print("{} clients, {} rounds; first task after {:.2f} s\n", options.plan.clients, commits.size(),
             seconds(all_connected - began));
  fmt::print("round s          median {:.4f}  p90 {:.4f}  max {:.4f}\n", quantile(rounds, 0.5),
             quantile(rounds, 0.9), quantile(rounds, 1));
  fmt::print("task to counted s  p50 {:.4f}  p90 {:.4f}  p99 {:.4f}  max {:.4f}\n", quantile(latencies, 0.5),
             quantile(latencies, 0.9), quantile(latencies, 0.99), quantile(latencies, 1));
  fmt::print("last chunk to next task s  median {:.4f}; first chunk to commit s  median {:.4f}\n",
             quantile(turnarounds, 0.5), quantile(ingests, 0.5));
  fmt::print("disconnects {}; aggregator peak {:.1f} MiB\n", disconnects, aggregator->peak_mib());
  // For scripts: round, turnaround, ingest, memory.
  fmt::print("figures: {:.6f} {:.6f} {:.6f} {:.1f}\n", quantile(rounds, 0.5), quantile(turnarounds, 0.5),
             quantile(ingests, 0.5), aggregator->peak_mib());
  return {};
}

}  // namespace
}  // namespace hansa::loadgen

int main(int argc, char** argv) {
  using namespace hansa::loadgen;
  CLI::App app(
      "Load generator: up to thousands of fake clients that use the real protocol with a real "
      "hansa-aggregator.");
  Options options;
  std::string folder, model;
  double think_ms = 0;
  bool raw = false;
  std::size_t message_bytes = 256 * 1024;
  std::uint64_t bytes = 40'000'000;
  app.add_option("--folder", folder, "Folder of the federation; replaced if it exists");
  app.add_option("--model", model, "TorchScript archive");
  app.add_option("--clients", options.plan.clients);
  app.add_option("--rounds", options.plan.rounds);
  app.add_option("--compression", options.plan.compression, "Lines of [compression]");
  app.add_option("--spool-memory-mib", options.plan.spool_memory_mib, "limits.spool_memory_mib");
  app.add_option("--threads", options.threads);
  app.add_option("--think-ms", think_ms, "Milliseconds from task to update");
  app.add_option("--slow", options.slow, "Number of clients that read slowly");
  app.add_option("--slow-pause-ms", options.slow_pause_ms,
                 "Pause of a slow client after each message, in ms");
  app.add_option("--disconnect", options.behaviour.disconnect, "Probability of a cut connection in a round");
  app.add_option("--warm-up", options.warm_up, "Rounds that are not measured");
  app.add_flag("--together", options.behaviour.together, "Offer updates only when all clients have one");
  app.add_flag("--raw", raw, "Measure only the throughput of libzmq's CURVE");
  app.add_option("--message-bytes", message_bytes, "Bytes per message, with --raw");
  app.add_option("--bytes", bytes, "Bytes per client, with --raw");
  CLI11_PARSE(app, argc, argv);
  if (raw) {
    const auto rate = raw_curve_throughput(options.plan.clients, message_bytes, bytes);
    if (!rate) return 1;
    fmt::print("{:.4f}\n", *rate);
    return 0;
  }
  options.plan.folder = folder;
  options.plan.model = std::filesystem::absolute(model);
  options.behaviour.think = hansa::from_seconds(think_ms / 1e3);
  if (const auto done = run(options); !done) {
    fmt::print(stderr, "hansa-loadgen: {}\n", done.error().text());
    return 1;
  }
  return 0;
}
