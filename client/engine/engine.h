// The device agent's body: carries out what the agent decides.
//
// Holds the model's bytes and the update's; links, training and the archive cache are interfaces, so
// that the ZeroMQ process (client/process) and the simulation drive the same engine. One thread calls.
#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/agent/agent.h"
#include "common/error.h"
#include "common/time.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/update.h"
#include "learning/data_supply.h"
#include "learning/local_state.h"
#include "learning/trainer.h"
#include "protocols/transport/bulk.h"

namespace hansa::client {

class Link {
 public:
  virtual ~Link() = default;
  // An attempt to connect; ends in Engine::link_up or Engine::link_down.
  virtual void open(std::uint64_t attempt) = 0;
  virtual void close() = 0;
  virtual void send(std::span<const std::byte> message, const transport::Bulk& bulk) = 0;
};

// Archives by digest, verified when they were stored.
class ArchiveStore {
 public:
  virtual ~ArchiveStore() = default;
  [[nodiscard]] virtual bool has(const Digest& archive) = 0;
  [[nodiscard]] virtual Result<void> put(const Digest& archive, std::span<const std::byte> bytes) = 0;
  [[nodiscard]] virtual std::filesystem::path path(const Digest& archive) const = 0;
};

// The vectors of one task; the training thread reads `global` and writes `delta`.
struct TaskVectors {
  std::vector<float> global;
  std::vector<float> delta;
};

class TrainingRunner {
 public:
  virtual ~TrainingRunner() = default;
  // Runs elsewhere; the owner of the engine then calls Engine::training_ended, never from within start.
  // After stop() or another start() nothing more is heard of the earlier training.
  virtual void start(const messages::TrainTask& task, const learning::TrainingRequest& request,
                     std::shared_ptr<TaskVectors> vectors) = 0;
  virtual void stop() = 0;
};

// What the aggregator is told of data, or of why there is none.
[[nodiscard]] messages::DataReport data_report(const Result<learning::AvailableData>& data);

struct EngineConfig {
  AgentConfig agent;
  std::shared_ptr<learning::DataSupply> data;  // told which updates were counted; may be none
  std::shared_ptr<learning::LocalState> state;  // for what codecs keep; without: it is lost with the engine
  std::function<void(Log::Level, const std::string&)> log;
  std::function<void(const Effect&)> before_effect;  // simulations crash here
};

class Engine {
 public:
  Engine(EngineConfig config, Link& link, TrainingRunner& runner, ArchiveStore& archives, Instant now);

  void data_known(const messages::DataReport& data, Instant now);
  void link_up(Instant now);
  void link_down(const Error& error, Instant now);
  void receive(std::span<const std::byte> message, std::span<const std::byte> bulk, Instant now);
  void training_ended(const messages::TrainTask& task, const Result<learning::TrainingResult>& result,
                      Instant now);
  void tick(Instant now);
  void stop(Instant now);

  [[nodiscard]] Instant next_tick() const { return agent_.next_tick(); }
  [[nodiscard]] const Agent& agent() const { return agent_; }
  [[nodiscard]] const std::optional<Exit>& exited() const { return exited_; }

 private:
  void apply(const Event& event);
  void carry_out(Effect& effect);
  void keep_chunk(const KeepChunk& keep);
  void keep_counted(TaskId task);
  void keep_codec_state(TaskId task);
  [[nodiscard]] Result<UpdateMasked> mask_update(const MaskUpdate& mask);
  void copy_bulk(std::span<std::byte> to, std::uint64_t offset);
  [[nodiscard]] bool verify_blob(const VerifyBlob& verify);
  [[nodiscard]] bool verify_archive(const VerifyBlob& verify);
  [[nodiscard]] Result<void> take_delta(const messages::TrainTask& task, const messages::ModelDelta& delta);
  void keep_vectors_to_ourselves();
  [[nodiscard]] Result<messages::Offer> make_offer(const messages::TrainTask& task,
                                                   const Result<learning::TrainingResult>& result);
  [[nodiscard]] Result<void> encode_update(const messages::TrainTask& task);
  [[nodiscard]] Result<void> find_codec_state(TaskId task, const Digest& of, std::size_t size);
  [[nodiscard]] std::vector<std::byte>& fresh_outgoing(TaskId task, bool masked);

  EngineConfig config_;
  Link& link_;
  TrainingRunner& runner_;
  ArchiveStore& archives_;
  Agent agent_;
  std::deque<Effect> queue_;
  std::vector<std::byte> archive_bytes_;  // of the archive that is being fetched
  std::shared_ptr<TaskVectors> vectors_;
  Digest held_model_;  // what vectors_->global is; zero: not known
  std::vector<std::byte> delta_bytes_;  // of the delta that is being fetched
  std::vector<std::byte> unpacked_;  // memory for reading deltas
  std::vector<std::uint32_t> ring_elements_;  // the update on the ring; masked before it is let go
  std::vector<float> corrected_;  // the update and what was left out of earlier ones
  // What is sent of an update that does not travel as it is.
  struct Outgoing {
    TaskId task;
    bool masked = false;
    std::shared_ptr<std::vector<std::byte>> bytes;
  };
  Outgoing outgoing_;
  // What codecs keep, before and after the update at hand. Another attempt at the same round starts from the one before again.
  struct CodecState {
    Digest of;  // model and codecs: others begin anew
    std::vector<float> values;  // none yet, or all
  };
  CodecState codec_state_;
  struct NextCodecState {
    TaskId task;
    bool counted = false;
    std::vector<float> values;
  };
  NextCodecState next_codec_state_;
  struct Trained {
    TaskId task;
    std::uint64_t data_mark = 0;
  };
  std::optional<Trained> trained_;  // what the update at hand came from
  std::span<const std::byte> bulk_;  // of the message at hand
  Instant now_;
  std::optional<Exit> exited_;
};

}  // namespace hansa::client
