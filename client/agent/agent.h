// The device agent's head: link, session and task as one pure state machine.
//
//   offline -> linking -> greeting -> online -> (any) -> offline ... -> finished
//
// It reconnects with jittered, doubling backoff for as long as it takes. The task (protocols/round/
// client_task.h) outlives links and sessions. No I/O, clock or thread; one thread owns an agent.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/random.h"
#include "common/time.h"
#include "common/training.h"
#include "protocols/messages/messages.h"
#include "protocols/round/client_task.h"
#include "protocols/secure_aggregation/client.h"

namespace hansa::client {

enum class WhenFinished : std::uint8_t { stop, stay };

// What a client needs for secure sums, and what it insists on.
struct SecureSums {
  std::shared_ptr<const secure_aggregation::SigningKey> key;
  secure_aggregation::IdentityKey root{};
  secure_aggregation::Policy policy;
  bool required = true;  // a task whose update the aggregator would see is declined
};

struct AgentConfig {
  std::string federation;
  std::string software;
  std::uint64_t instance = 0;  // random at process start; also seeds the jitter
  WhenFinished when_finished = WhenFinished::stop;
  Duration reconnect_min = std::chrono::milliseconds(500);
  Duration reconnect_max = std::chrono::seconds(30);
  Duration greeting_max = std::chrono::seconds(10);  // Hello to Welcome
  Duration stall_max = std::chrono::seconds(60);  // of a transfer without a byte
  Duration report_min = std::chrono::seconds(1);  // between reports of data that goes on changing
  bool decline_without_new = false;  // a task, if no example is new
  std::optional<SecureSums> secure_sums;  // without: tasks with secure sums are declined
  std::uint64_t blob_bytes_max = 4ULL << 30;  // a task with a larger archive or model is declined
};

// Events.
struct LinkUp {};
struct LinkDown {
  Error error;
};
struct Received {
  SessionId session;
  const messages::ToClient& message;
  std::span<const std::byte> bulk = {};
};
struct ReceivedMalformed {
  const Error& error;
};
struct ArchiveLookedUp {
  round::ArchiveCache archive;
  Digest model = {};  // that the shell holds, verified; zero: none
};  // answers FindArchive
struct BlobChecked {
  Digest blob;
  bool sound = false;
};  // answers VerifyBlob
struct TrainingEnded {
  TaskId task;
  Result<messages::Offer> outcome;
};
struct UpdateMasked {
  TaskId task;
  Digest setup;  // of the sum it is masked for
  Checksum update;
  std::uint64_t bytes = 0;
};  // answers MaskUpdate
struct DataKnown {
  messages::DataReport data;  // its notice is told to the aggregator once
};
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<LinkUp, LinkDown, Received, ReceivedMalformed, ArchiveLookedUp, BlobChecked,
                           TrainingEnded, UpdateMasked, DataKnown, TickEvent, StopAsked>;

// Effects, to be carried out in order.
struct OpenLink {
  std::uint64_t attempt;
};  // counts from 0 since the last welcome: which address to try
struct CloseLink {};
struct Send {
  SessionId session;
  messages::ToAggregator message;
};
struct SendUpdateRange {
  SessionId session;
  TaskId task;
  std::uint64_t offset;
  std::uint64_t bytes;
  bool masked = false;  // of the masked update: the trained one is not for anybody's eyes
};
struct FindArchive {
  Digest archive;
};
struct KeepChunk {
  messages::TrainTask task;
  Digest blob;
  std::uint64_t offset;
};  // of the event at hand
struct VerifyBlob {
  messages::TrainTask task;
  Digest blob;
};
struct StartTraining {
  messages::TrainTask task;
};
struct StopTraining {};
struct MaskUpdate {
  TaskId task;
  secure_aggregation::SumSetup setup;
  std::vector<secure_aggregation::MaskTerm> terms;
  Secret32 rounding_seed;
  std::uint64_t examples = 0;
  Metrics metrics;
};  // round, mask and pack the trained update; then UpdateMasked
struct KeepCounted {
  TaskId task;
};  // the aggregator counted its update: what it was trained on is not new any more
struct Log {
  enum class Level : std::uint8_t { debug, info, warning, error } level;
  std::string text;
};
struct Exit {
  enum class Why : std::uint8_t { finished, stopped } why;
};
using Effect = std::variant<OpenLink, CloseLink, Send, SendUpdateRange, FindArchive, KeepChunk, VerifyBlob,
                            StartTraining, StopTraining, MaskUpdate, KeepCounted, Log, Exit>;

enum class LinkState : std::uint8_t { offline, linking, greeting, online, finished };

class Agent {
 public:
  Agent(AgentConfig config, Instant now);

  void apply(const Event& event, Instant now, std::vector<Effect>& effects);

  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] LinkState state() const { return state_; }
  [[nodiscard]] const std::optional<round::ClientTask>& task() const { return task_; }

 private:
  void on_link_up();
  void on_link_down(const Error& error);
  void on_message(const Received& event);
  void on_welcome(SessionId session, const messages::Welcome& welcome);
  void on_refuse(const messages::Refuse& refuse);
  void on_train_task(const messages::TrainTask& task);
  void begin_task(const ArchiveLookedUp& found);
  void decline(const messages::TrainTask& task, const std::string& reason);
  void on_tick();
  void say_hello();
  void on_data(const messages::DataReport& data);
  void report_if_due();
  void go_offline(Duration at_least);
  void apply_to_task(const round::TaskEvent& event);
  [[nodiscard]] Result<void> check_codecs(const messages::TrainTask& task) const;
  [[nodiscard]] bool is_current(TaskId task) const;
  [[nodiscard]] bool transferring() const;
  [[nodiscard]] TaskId at_work_on() const;
  void log(Log::Level level, std::string text);
  void finish(Exit::Why why);

  // Secure sums (secure_sum.cpp).
  [[nodiscard]] Result<void> check_security(const messages::TrainTask& task) const;
  void join_sum(const messages::TrainTask& task);
  void on_training_ended(const TrainingEnded& event);
  void mask_if_ready();
  void on_masked(const UpdateMasked& event);
  void on_roster(const messages::KeyRoster& roster, std::span<const std::byte> bulk);
  void on_delivery(const messages::ShareDelivery& delivery);
  void on_survivors(const messages::SurvivorSet& set);
  void on_unmask(const messages::UnmaskRequest& request);
  [[nodiscard]] bool is_of_sum(TaskId task, const Digest& setup) const;
  [[nodiscard]] Result<void> check_repeated(const secure_aggregation::Subset& survivors) const;
  void leave_sum(const Error& error);
  void say(messages::ToAggregator message);
  void say_of_sum(const std::string& what);

  AgentConfig config_;
  Random jitter_;
  LinkState state_ = LinkState::offline;
  std::uint64_t attempt_ = 0;
  Instant retry_at_;
  Instant greeting_until_;
  SessionId session_;
  messages::Welcome welcome_;
  Instant last_heard_;
  Instant last_said_;
  Instant last_progress_;
  messages::DataReport data_;  // its notice: not yet known to have arrived
  bool report_due_ = false;
  Instant last_report_;
  std::string last_trouble_;
  bool task_confirmed_ = false;  // the aggregator sent the task in this session
  std::optional<messages::TrainTask> arriving_;  // waits for ArchiveLookedUp
  std::optional<round::ClientTask> task_;

  struct Sum {
    TaskId task;
    Digest setup;
    secure_aggregation::ClientSum machine;
    Digest roster;  // of what was answered with `shares`
    std::optional<messages::EncryptedShares> shares;
    bool masking = false;  // UpdateMasked is on its way, or was
  };
  std::optional<Sum> sum_;  // of the task
  std::optional<messages::Offer> trained_;  // the task's update before it is masked; not to be sent
  struct Unmasked {
    RoundId round;
    Digest model;
    std::vector<std::string> survivors;
  };
  std::optional<Unmasked> unmasked_;  // the last sum for which this client told shares

  // Of the call to apply() in progress.
  Instant now_;
  std::vector<Effect>* effects_ = nullptr;
};

[[nodiscard]] const char* name(LinkState state) noexcept;

}  // namespace hansa::client
