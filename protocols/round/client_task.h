// One task as the client sees it: a pure state machine that outlives sessions.
//
//   fetching_archive -> fetching_model -> training -> offering <-> uploading -> counted
//                   (any but the last two) -> declined            (any) -> dropped
//
// A new session starts the conversation again where the task stands: fetched bytes, a training in
// progress and a finished update are kept. So a cut link or a restarted aggregator costs no work.
// Every state x event pair: docs/round.md. No I/O, clock or thread; one thread owns a task.
#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "common/training.h"
#include "protocols/messages/messages.h"
#include "protocols/round/flow_window.h"
#include "protocols/round/round.h"

namespace hansa::round {

enum class TaskState : std::uint8_t {
  fetching_archive,
  fetching_model,
  training,  // until the update is ready: in a secure sum, also until it is masked
  offering,  // the update is ready; waits for a grant
  uploading,
  counted,  // the update is kept until another task comes
  declined,
  dropped,  // closed by the aggregator, late or rejected
};

// What the shell has of the archive, told when the task starts.
enum class ArchiveCache : std::uint8_t { present, absent };
// What is fetched is the archive, and then the deltas that lead from the model that the shell holds to the task's, or that model
// whole. A delta that turns out to lead elsewhere is damaged: then the model is fetched whole.

// The session is (again) open and the aggregator has sent this task in it.
struct SessionOpened {
  std::uint32_t chunk_bytes = 0;
};  // of this session; 0: as before
struct ChunkArrived {
  Digest blob;
  std::uint64_t offset;
  std::uint64_t bytes;
};
struct BlobVerified {
  Digest blob;
};
struct BlobDamaged {
  Digest blob;
};  // its digest does not match: fetched anew
struct TrainingDone {
  messages::Offer offer;
};
struct TrainingFailed {
  std::string reason;
};
// The update goes into another secure sum: what was offered is withdrawn, and TrainingDone comes again.
struct UpdateWithdrawn {};
struct GrantArrived {
  std::uint64_t offset;
  std::uint64_t limit;
};
struct ReceiptArrived {
  messages::Verdict verdict;
};
struct CancelArrived {};
using TaskEvent = std::variant<SessionOpened, ChunkArrived, BlobVerified, BlobDamaged, TrainingDone,
                               TrainingFailed, UpdateWithdrawn, GrantArrived, ReceiptArrived, CancelArrived>;

struct SendMessage {
  messages::ToAggregator message;
};
struct SendUpdateRange {
  std::uint64_t offset;
  std::uint64_t bytes;
};  // as one UpdateChunk
struct KeepChunk {
  Digest blob;
  std::uint64_t offset;
};  // of the event at hand; offset 0 starts the blob anew
struct VerifyBlob {
  Digest blob;
};  // complete: check it, then BlobVerified or BlobDamaged
struct StartTraining {};
struct StopTraining {};
using TaskEffect =
    std::variant<SendMessage, SendUpdateRange, KeepChunk, VerifyBlob, StartTraining, StopTraining>;

// What goes over to the next task: how fast the link is, and the blob that has come in part.
struct Fetched {
  FlowWindow window;
  Digest blob;
  std::uint64_t bytes = 0;
};

class ClientTask {
 public:
  static constexpr std::uint32_t chunks_in_flight = 4;  // pull credit, and less on a slow link (FlowWindow)
  static constexpr std::uint32_t grant_chunks_max = 16;  // of one Grant; a larger one is cut

  // held: the model that the shell has; zero: none.
  ClientTask(const messages::TrainTask& task, ArchiveCache archive, std::uint32_t chunk_bytes,
             const Digest& held = {}, const Fetched& before = {});

  [[nodiscard]] Verdict apply(const TaskEvent& event, Instant now, std::vector<TaskEffect>& effects);

  [[nodiscard]] const messages::TrainTask& task() const { return task_; }
  [[nodiscard]] TaskState state() const { return state_; }
  // True of the archive, the model and the deltas to it.
  [[nodiscard]] bool fetches(const Digest& blob) const;
  [[nodiscard]] Fetched fetched() const;
  // True if `other` asks for the same work, so that a result of this one answers it.
  [[nodiscard]] bool same_work(const messages::TrainTask& other) const;

 private:
  struct Apply;
  void find_path(const Digest& held);
  void pull_more(std::vector<TaskEffect>& effects);
  void start_blob(Instant now, std::vector<TaskEffect>& effects);
  void next_blob(Instant now, std::vector<TaskEffect>& effects);
  [[nodiscard]] std::uint64_t window_cap() const;
  [[nodiscard]] const Digest& blob() const;
  [[nodiscard]] std::uint64_t blob_bytes() const;

  struct Blob {
    Digest digest;
    std::uint64_t bytes = 0;
  };

  messages::TrainTask task_;
  std::uint64_t chunk_bytes_;
  TaskState state_;
  std::vector<Blob> model_blobs_;  // that are left to fetch, in order
  std::size_t fetched_ = 0;  // of them
  std::uint64_t received_ = 0;  // of the blob that is being fetched
  std::uint64_t pulled_ = 0;  // asked for in this session
  FlowWindow window_;
  Digest parked_;  // the blob that had come in part when the task was dropped
  bool verifying_ = false;  // the blob is complete and being checked
  messages::Offer offer_;
};

[[nodiscard]] const char* name(TaskState state) noexcept;

}  // namespace hansa::round
