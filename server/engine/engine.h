// The aggregator's body: carries out what the coordinator decides, on a store, an accumulator and
// whatever delivers messages.
//
// Everything happens on the thread that calls; the accumulator spreads its loops over a worker pool.
// The ZeroMQ process (server/process) and the simulation drive the same engine.
#pragma once
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/page_memory.h"
#include "common/time.h"
#include "protocols/secure_aggregation/masked_sum.h"
#include "protocols/transport/bulk.h"
#include "protocols/transport/server_channel.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/arriving_update.h"
#include "server/aggregation/encoded_updates.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/worker_pool.h"
#include "server/coordinator/coordinator.h"
#include "server/store/store.h"

namespace hansa::server {

class Outbox {
 public:
  virtual ~Outbox() = default;
  virtual transport::Sent send(PeerId peer, std::span<const std::byte> message,
                               const transport::Bulk& bulk) = 0;
};

// Told what happens, on the engine's thread.
class EngineObserver {
 public:
  virtual ~EngineObserver() = default;
  virtual void on_log(Log::Level level, const std::string& text) = 0;
  virtual void on_round_started(RoundId round, std::uint32_t cohort) = 0;
  virtual void on_committed(const RoundRecord& record) = 0;
};

struct EngineConfig {
  CoordinatorConfig coordinator;
  std::filesystem::path archive;  // served to clients in chunks
  // RFC 3339 UTC; a function so that a simulation can have a time of its own.
  std::function<std::string()> wall_clock;
  // Called before each effect; what it throws passes through the engine. Simulations crash here.
  std::function<void(const Effect&)> before_effect;
};

// From here on a second thread is worth its start.
inline constexpr std::size_t elements_worth_a_thread = 1 << 18;

class Engine {
 public:
  // Takes up at the store's last committed round; Store::begin_run came before.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> create(EngineConfig config, Store& store,
                                                              Outbox& outbox, WorkerPool& workers,
                                                              SpoolPool& spools, EngineObserver& observer,
                                                              Instant now);
  ~Engine();

  void receive(PeerId peer, std::string_view client, std::span<const std::byte> message,
               std::span<const std::byte> bulk, Instant now);
  void tick(Instant now);
  void stop(Instant now);

  [[nodiscard]] Instant next_tick() const { return coordinator_->next_tick(); }
  [[nodiscard]] const std::optional<Finish>& finished() const { return finished_; }
  // A storage failure ends a run: what is committed stays, and this says why it ended.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] RoundId last_committed() const { return coordinator_->last_committed(); }
  [[nodiscard]] const Digest& model() const { return coordinator_->model(); }
  [[nodiscard]] std::span<const float> parameters() const { return *model_; }
  [[nodiscard]] Progress progress(Instant now) const { return coordinator_->progress(now); }
  [[nodiscard]] std::uint64_t bytes_up() const { return bytes_up_; }
  [[nodiscard]] std::uint64_t bytes_down() const { return bytes_down_; }

 private:
  struct Traffic {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
  };

  Engine(EngineConfig config, Store& store, Outbox& outbox, WorkerPool& workers, SpoolPool& spools,
         EngineObserver& observer);
  void apply(const Event& event);
  void carry_out_all();
  void carry_out(Effect& effect);
  void deliver(PeerId peer, SessionId session, const messages::ToClient& message,
               const transport::Bulk& bulk);
  void send_blob(const SendBlob& blob);
  [[nodiscard]] Result<void> check_update(const CheckUpdate& check);
  // The unmasked sum, added to the model; fills in what is known of all clients together.
  [[nodiscard]] Result<void> finish_secure_sum(const Unmask& unmask, SecureSumRecord& record,
                                               std::span<float> next);
  // Where the next model goes: in place, unless a part of the old one still waits to be sent.
  [[nodiscard]] std::shared_ptr<PageVector<float>> next_model() const;
  void commit(RoundRecord record, std::shared_ptr<PageVector<float>> next);

  // What clients get (published_models.cpp).
  [[nodiscard]] Result<PublishedModel> restore_published(const Store::Position& position);
  [[nodiscard]] Result<std::optional<Published>> publish(RoundId round);
  void hold_delta(const messages::ModelDelta& delta, std::vector<std::byte> bytes);
  [[nodiscard]] PublishedModel published_model(const Digest& model) const;
  void fail_run(Error error);

  EngineConfig config_;
  Store& store_;
  Outbox& outbox_;
  SpoolPool& spools_;
  EngineObserver& observer_;
  Accumulator accumulator_;
  std::optional<secure_aggregation::MaskedSum> masked_sum_;  // of a round with a secure sum
  EncodedUpdates encoded_updates_;  // of which the sum is not yet
  std::vector<std::byte> packed_;  // a vector that came through a file
  std::vector<std::byte> unpacked_;  // memory for reading deltas
  std::vector<float> mean_;
  std::unique_ptr<Coordinator> coordinator_;
  std::shared_ptr<PageVector<float>> model_;
  // With deltas: what clients get, the same as the model where that went whole. Else none: the model.
  std::shared_ptr<PageVector<float>> published_;
  Digest published_digest_;  // names published_
  Checksum published_check_;
  Checksum model_check_;  // of model_, where that is what is published
  struct HeldDelta {
    messages::ModelDelta delta;
    std::shared_ptr<const std::vector<std::byte>> bytes;
  };
  std::deque<HeldDelta> deltas_;  // the last ones, which lead to published_
  std::vector<float> residual_;  // memory for making deltas
  std::map<std::string, ArrivingUpdate, std::less<>> update_of_;  // by client
  std::map<PeerId, std::string> client_of_;  // for traffic: the last client heard from a peer
  std::map<std::string, Traffic, std::less<>> traffic_;  // of the round in work
  std::deque<Effect> queue_;
  std::span<const std::byte> bulk_;  // of the message at hand
  std::string round_started_at_;
  Digest committed_model_;
  Instant now_;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
  std::optional<Finish> finished_;
  std::optional<Error> failure_;
};

}  // namespace hansa::server
