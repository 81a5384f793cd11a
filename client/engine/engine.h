// Carries out what the device agent decides.
//
// The engine passes events to the agent and its effects to the objects that do them: the task's inputs, the form of its
// update, the staged changes and the ledger. Links, training and archives are interfaces (ports.h), so that the ZeroMQ
// process and the simulation drive the same engine. One thread calls an engine.
//
// What a counted update changes on the device is staged in the ledger before the update leaves the device, and applied
// when the agent reports that the update was counted (client/ledger/device_ledger.h): also that of an earlier process.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "client/agent/agent.h"
#include "client/engine/ports.h"
#include "client/engine/task_inputs.h"
#include "client/engine/update_form.h"
#include "client/ledger/device_ledger.h"
#include "client/ledger/opened_sums_store.h"
#include "common/effect_pump.h"
#include "common/error.h"
#include "common/time.h"
#include "common/utc.h"
#include "learning/data_supply.h"

namespace hansa::client {

// What a client reports about its data, or why it has none.
[[nodiscard]] messages::DataReport data_report(const Result<learning::AvailableData>& data,
                                               const ReportPolicy& policy);
// Empty if the data cannot be used, or the trainer does not describe it.
[[nodiscard]] std::optional<DataDescription> description_of(const Result<learning::AvailableData>& data);

// The models that the device's programs are served: TrainingRunner::serve().
enum class Serve : std::uint8_t {
  nothing,
  last_model,  // of a federation that is finished; needs AgentConfig::last_model
  each_model,  // and each one that a task begins with
};

struct EngineConfig {
  AgentConfig agent;
  std::shared_ptr<learning::DataSupply> data;  // asked again after a counted update; may be null
  std::shared_ptr<DeviceLedger> ledger;  // null: what the device keeps is lost with the engine
  std::shared_ptr<OpenedSumsStore> opened_sums = {};  // null: in memory, for simulations
  UtcSeconds (*wall_clock)() = utc_seconds_now;
  Serve serve = Serve::nothing;
  // Decides which examples are held out for evaluation (learning/hold_out.h). Known to this device alone.
  std::uint64_t hold_out_key = 0;
  LogSink log;
  std::function<void(const Effect&)> before_effect;  // simulations crash here
};

class Engine {
 public:
  Engine(EngineConfig config, Link& link, TrainingRunner& runner, ArchiveStore& archives, Instant now);

  void data_known(const messages::DataReport& data, const std::optional<DataDescription>& description,
                  Instant now);
  void link_up(Instant now);
  void link_down(const Error& error, Instant now);
  void receive(std::span<const std::byte> message, std::span<const std::byte> bulk, Instant now);
  void training_ended(const messages::TrainTask& task, Result<learning::TrainingResult> result, Instant now);
  void tick(Instant now);
  void stop(Instant now);

  [[nodiscard]] Instant next_tick() const { return agent_.next_tick(); }
  [[nodiscard]] const Agent& agent() const { return agent_; }
  [[nodiscard]] const std::optional<Exit>& exited() const { return exited_; }

 private:
  struct CarryOut;
  // apply() passes an event to the agent and carries out the effects. feed() leaves the effects in the queue.
  void apply(const Event& event);
  void feed(const Event& event);
  void log_if_failed(const Result<void>& done);

  // Effects.
  void send_update(const SendUpdateRange& range);
  void find_archive(const FindArchive& find);
  void start_training(const messages::TrainTask& task);
  void mask_update(const MaskUpdate& mask);
  void keep_counted(TaskId task);
  void keep_last_model(const KeepLastModel& keep);
  void serve_last_model(const ServeLastModel& serve);

  [[nodiscard]] Result<messages::Offer> make_offer(const messages::TrainTask& task,
                                                   Result<learning::TrainingResult> result);
  [[nodiscard]] Result<void> prepare(UpdateForm& form);
  // Before the prepared update leaves the device.
  void stage();
  // Its round and task are missing.
  [[nodiscard]] ModelToServe model_to_serve(const messages::TrainTask& task,
                                            learning::TrainingRequest request, std::span<const float> values,
                                            std::shared_ptr<const void> owner) const;

  EngineConfig config_;
  Link& link_;
  TrainingRunner& runner_;
  ArchiveStore& archives_;
  Agent agent_;
  EffectPump<Effect> pump_;
  TaskInputs inputs_;
  UpdateMemory update_memory_;
  OutgoingUpdate outgoing_;
  // Set from the end of a training until another task begins, because a secure sum may be repeated after the update was
  // counted.
  std::optional<StagedChanges> staged_;
  bool is_stored_ = false;  // the current staged_ is in the ledger
  // The model and the work (SumSetup) of the last training for a secure sum.
  std::optional<std::pair<Digest, Digest>> trained_on_;
  std::span<const std::byte> bulk_;  // of the message that is being handled
  Instant now_;
  std::optional<Exit> exited_;
  std::shared_ptr<std::vector<float>> last_model_;  // while it is fetched
};

}  // namespace hansa::client
