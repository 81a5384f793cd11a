// Carries out what the coordinator decides: updates go into a form (server/aggregation), rounds into the store,
// messages into an outbox.
//
// All calls are made on one thread, which never waits for a commit. A commit runs on an executor, and meanwhile the
// engine answers everything that does not need the model. The ZeroMQ process (server/process) and the simulation drive
// the same engine.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/effect_pump.h"
#include "common/error.h"
#include "common/time.h"
#include "server/aggregation/make_update_form.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/worker_pool.h"
#include "server/coordinator/coordinator.h"
#include "server/engine/executor.h"
#include "server/engine/observer.h"
#include "server/engine/outbox.h"
#include "server/optimizers/optimizer_config.h"
#include "server/store/store.h"

namespace hansa::server {

namespace internal {
class RoundCommitter;  // server/engine/internal/round_committer.h
class ServedBlobs;  // server/engine/internal/served_blobs.h
class Traffic;  // server/engine/internal/traffic.h
}  // namespace internal

// A vector that every task has as an input, after those of the method.
struct ConstantInput {
  std::string name;
  std::shared_ptr<const std::vector<float>> values;
};

struct EngineConfig {
  std::string run;  // sent to clients
  CoordinatorConfig coordinator;
  ServerOptimizerConfig optimizer;
  // The vectors of the optimiser and of the method before the run's first round.
  std::vector<StateVector> initial_state;
  std::vector<ConstantInput> constants = {};
  // Of the layers of the model, in the order of the flat vector: each round records the norm of the update of each.
  // Empty: it records none.
  std::vector<std::uint64_t> layer_sizes = {};
  std::filesystem::path archive;  // served to clients in chunks
  // Returns the certificate of an admitted client; empty: the client takes no part in secure sums. Used only for secure
  // sums.
  std::function<std::optional<secure_aggregation::Certificate>(const std::string& client)> certificate;
  // The time of day (RFC 3339, UTC). A simulation has its own.
  std::function<std::string()> wall_clock;
  // Called before each effect. Its exceptions pass through the engine, so that simulations can crash here.
  std::function<void(const Effect&)> before_effect;
};

// The objects that an engine uses. All of them must outlive it. The form and the commits use `workers`, never at the
// same time.
struct EngineParts {
  Store& store;
  Outbox& outbox;
  WorkerPool& workers;
  SpoolPool& spools;
  EngineObserver& observer;
  Executor& executor;
};

class Engine {
 public:
  // Continues after the store's last committed round. Store::begin_run() must have been called.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> create(EngineConfig config, const EngineParts& parts,
                                                              Instant now);
  ~Engine();  // waits for a commit in progress

  void receive(PeerId peer, std::string_view client, std::span<const std::byte> message,
               std::span<const std::byte> bulk, Instant now);
  void tick(Instant now);
  // The operator changed the admitted clients; both lists are sorted. See AdmissionChanged.
  void change_admission(std::vector<std::string> admitted, std::vector<std::string> removed, Instant now);
  // No further round is wanted: finished() is set when the current one is committed. why: a sentence without a full stop.
  void conclude(std::string why, Instant now);
  // The operator wants these clients to take part again in spite of their faults.
  void forgive(std::vector<std::string> clients, Instant now);
  // If a commit is in progress, finished() is set when it is done.
  void stop(Instant now);

  [[nodiscard]] Instant next_tick() const { return coordinator_->next_tick(); }
  [[nodiscard]] const std::optional<Finish>& finished() const { return finished_; }
  // The storage failure that ended the run; committed rounds stay.
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  // After finished(): clients still fetch the last model, for a bounded time.
  [[nodiscard]] bool is_awaiting_clients(Instant now) const { return coordinator_->is_awaiting_clients(now); }
  [[nodiscard]] RoundId last_committed() const { return coordinator_->last_committed(); }
  [[nodiscard]] const Digest& model() const { return coordinator_->model(); }
  [[nodiscard]] Phase phase() const { return coordinator_->phase(); }
  [[nodiscard]] Progress progress(Instant now) const { return coordinator_->progress(now); }
  [[nodiscard]] std::vector<FaultRecord> faults(Instant now) const { return coordinator_->faults(now); }
  [[nodiscard]] std::uint64_t bytes_up() const;
  [[nodiscard]] std::uint64_t bytes_down() const;

 private:
  struct CarryOut;  // engine.cpp
  struct Commit;

  Engine(EngineConfig config, const EngineParts& parts);
  void add_constants();
  void apply(const Event& event);
  // Applies an event that an effect caused, and appends its effects to the queue.
  void feed(const Event& event);
  void carry_out_all();
  void deliver(PeerId peer, SessionId session, const messages::ToClient& message,
               const transport::Bulk& bulk);
  void send_blob(const SendBlob& blob);
  void open_masks(OpenMasks& effect);
  void commit(CommitRound& effect);
  void record_abandoned(const AttemptAbandoned& effect);
  void on_commit_done(Commit& commit);
  void fail_run(Error error);

  EngineConfig config_;
  EngineParts parts_;
  std::unique_ptr<UpdateForm> form_;
  std::unique_ptr<internal::RoundCommitter> committer_;
  std::unique_ptr<internal::ServedBlobs> blobs_;
  std::unique_ptr<internal::Traffic> traffic_;
  std::unique_ptr<Coordinator> coordinator_;
  EffectPump<Effect> pump_;
  bool carrying_out_ = false;
  std::span<const std::byte> bulk_;  // of the current message
  std::string round_started_at_;
  Instant now_;
  std::optional<Finish> finished_;
  std::optional<Error> failure_;
};

}  // namespace hansa::server
