// A client of the load generator: the real engine with its own socket, and a trainer that only waits.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "client/engine/engine.h"
#include "protocols/transport/keys.h"

namespace hansa::loadgen {

struct Behaviour {
  Duration think{};  // from receiving a task to offering the update
  Duration read_pause{};  // pause after each message, for a slow reader
  double disconnect = 0;  // probability that the connection is lost in the middle of a round
  bool together = false;  // updates are offered once all clients have one
};

// Events of one client, on the clock of the process.
struct Observed {
  std::vector<Instant> task;  // when a TrainTask of a new round arrived
  // For each counted update: its first and last chunk were passed to ZeroMQ; its receipt arrived.
  std::vector<Instant> first_chunk, last_chunk, counted;
  std::uint64_t disconnects = 0;
};

// Receives the offers that wait for the other clients. Thread-safe.
class Together {
 public:
  virtual ~Together() = default;
  // Reports an offer, and returns the turn in which it will be released.
  [[nodiscard]] virtual std::uint64_t offered() = 0;
  [[nodiscard]] virtual bool released(std::uint64_t turn) const = 0;
};

// One thread uses a client.
class FakeClient final : public client::Link, public client::TrainingRunner, public client::ArchiveStore {
 public:
  FakeClient(zmq::context_t& context, std::string address, const transport::PublicKey& aggregator,
             transport::SecretKey key, const Behaviour& behaviour, Together& together, std::uint64_t seed);
  ~FakeClient() override;

  // The socket's descriptor, to be polled for input; -1 while there is no socket.
  [[nodiscard]] int descriptor();
  // Handles at most messages_max received messages; returns true if there may be more.
  bool pump(std::size_t messages_max);
  void tick();
  [[nodiscard]] bool finished() const { return engine_->exited().has_value(); }
  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] const Observed& observed() const { return observed_; }
  // Changes whenever the client opens another socket.
  [[nodiscard]] std::uint64_t sockets() const { return sockets_; }

 private:
  void open(std::uint64_t attempt) override;
  void close() override;
  void send(std::span<const std::byte> message, const transport::Bulk& bulk) override;
  void start(const messages::TrainTask& task, learning::TrainingRequest request,
             std::shared_ptr<client::TaskVectors> vectors) override;
  void stop() override { training_.reset(); }
  bool has(const Digest&) override { return true; }
  Result<void> put(const Digest&, std::span<const std::byte>) override { return {}; }
  std::filesystem::path path(const Digest&) const override { return {}; }
  void watch(std::span<const std::byte> message);
  void send_now(std::span<const std::byte> message, const transport::Bulk& bulk);

  struct Training {
    messages::TrainTask task;
    std::shared_ptr<client::TaskVectors> vectors;
    Instant done_at;
  };

  zmq::context_t& context_;
  std::string address_, aggregator_, public_key_;
  transport::SecretKey key_;
  Behaviour behaviour_;
  Together& together_;
  Random random_;
  std::optional<zmq::socket_t> socket_;
  std::uint64_t sockets_ = 0;
  bool link_up_due_ = false;
  bool link_down_due_ = false;
  Instant read_after_;
  std::optional<Training> training_;
  std::vector<std::byte> held_offer_;
  std::uint64_t turn_ = 0;
  Instant first_chunk_, last_chunk_;  // of the latest update
  std::uint32_t round_ = 0;
  Observed observed_;
  std::unique_ptr<client::Engine> engine_;
};

}  // namespace hansa::loadgen
