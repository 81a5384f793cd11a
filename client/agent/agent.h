// The device agent's head: link, session and task as one pure state machine.
//
//   offline -> linking -> greeting -> online -> (any) -> offline ... -> finished
//
// It reconnects with jittered, doubling backoff for as long as it takes. The task (protocols/round/
// client_task.h) outlives links and sessions. No I/O, clock or thread; one thread owns an agent.
#pragma once
#include <cstdint>
#include <optional>
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

namespace hansa::client {

enum class WhenFinished : std::uint8_t { stop, stay };

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
  std::uint64_t blob_bytes_max = 4ULL << 30;  // a task with a larger archive or model is declined
};

// Events.
struct LinkUp {};
struct LinkDown {
  Error error;
};
struct Received {
  SessionId session;
  const messages::Message& message;
  std::uint64_t bulk_bytes = 0;
};
struct ReceivedMalformed {
  const Error& error;
};
struct ArchiveLookedUp {
  round::ArchiveCache archive;
};  // answers FindArchive
struct BlobChecked {
  Digest blob;
  bool sound = false;
};  // answers VerifyBlob
struct TrainingEnded {
  TaskId task;
  Result<messages::Offer> outcome;
};
struct DataKnown {
  messages::DataReport data;  // its notice is told to the aggregator once
};
struct TickEvent {};
struct StopAsked {};
using Event = std::variant<LinkUp, LinkDown, Received, ReceivedMalformed, ArchiveLookedUp, BlobChecked,
                           TrainingEnded, DataKnown, TickEvent, StopAsked>;

// Effects, to be carried out in order.
struct OpenLink {
  std::uint64_t attempt;
};  // counts from 0 since the last welcome: which address to try
struct CloseLink {};
struct Send {
  SessionId session;
  messages::Message message;
};
struct SendUpdateRange {
  SessionId session;
  TaskId task;
  std::uint64_t offset;
  std::uint64_t bytes;
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
struct KeepCounted {
  TaskId task;
};  // the aggregator counted its update: what it was trained on is not new any more
struct Tell {
  enum class Level : std::uint8_t { info, warning, error } level;
  std::string text;
};
struct Exit {
  enum class Why : std::uint8_t { finished, stopped } why;
};
using Effect = std::variant<OpenLink, CloseLink, Send, SendUpdateRange, FindArchive, KeepChunk, VerifyBlob,
                            StartTraining, StopTraining, KeepCounted, Tell, Exit>;

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
  void begin_task(round::ArchiveCache archive);
  void on_tick();
  void say_hello();
  void on_data(const messages::DataReport& data);
  void report_if_due();
  void go_offline(Duration at_least);
  void apply_to_task(const round::TaskEvent& event);
  [[nodiscard]] bool is_current(TaskId task) const;
  [[nodiscard]] bool transferring() const;
  [[nodiscard]] TaskId at_work_on() const;
  void tell(Tell::Level level, std::string text);
  void finish(Exit::Why why);

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

  // Of the call to apply() in progress.
  Instant now_;
  std::vector<Effect>* effects_ = nullptr;
};

[[nodiscard]] const char* name(LinkState state) noexcept;

}  // namespace hansa::client
