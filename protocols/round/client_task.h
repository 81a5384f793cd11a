// One task as the client sees it: a pure state machine that outlives sessions.
//
//   fetching_archive -> fetching_inputs -> training -> offering <-> uploading -> counted
//                   (the first three) -> declined                 (any) -> dropped
//
// The archive is fetched first, then each input in the task's order: as deltas to the vector that the shell holds under
// the input's name, or in full. If a delta leads to a wrong vector, the input is fetched in full. Training starts when
// all inputs are verified.
//
// A new session resumes the task: fetched bytes, a training in progress and a finished update are kept. So a lost
// connection or a restarted aggregator costs no work. Every state x event pair: docs/round.md. No I/O, clock or thread;
// one thread owns a task.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
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
  fetching_inputs,
  training,  // until the update is ready; in a secure sum, until it is masked
  offering,  // the update is ready; waits for a grant
  uploading,
  counted,  // or in a secure sum; the update is kept until another task comes
  declined,
  dropped,  // closed by the aggregator, late or rejected
};

// Whether the shell has the archive when the task starts.
enum class ArchiveCache : std::uint8_t { present, absent };
// A verified vector that the shell holds under the name of an input.
struct HeldVector {
  std::string input;
  Digest vector;
  std::uint64_t bytes;
};

// A session is open, and the aggregator has sent this task in it.
struct SessionOpened {
  std::uint32_t chunk_bytes = 0;
};  // of this session; 0: unchanged
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
};  // the archive is fetched again; an input is fetched in full
struct TrainingDone {
  messages::Offer offer;
};
struct TrainingFailed {
  messages::Report report;
};
// The update is masked for another secure sum: its offer is withdrawn, and another TrainingDone follows.
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
};  // the bytes of the current event; offset 0 starts the blob from the beginning
struct VerifyBlob {
  Digest blob;
};  // the blob is complete; answered by BlobVerified or BlobDamaged
struct StartTraining {};
struct StopTraining {};
using TaskEffect =
    std::variant<SendMessage, SendUpdateRange, KeepChunk, VerifyBlob, StartTraining, StopTraining>;

// What the next task inherits: the link's window, and the blob that has arrived in part.
struct Fetched {
  FlowWindow window;
  Digest blob;
  std::uint64_t bytes = 0;
  std::uint64_t blob_bytes = 0;  // the size that the task names for the blob
};

class ClientTask {
 public:
  static constexpr std::uint32_t chunks_in_flight = 4;  // pull credit; less on a slow link (FlowWindow)
  static constexpr std::uint32_t grant_chunks_max = 16;  // of one Grant; the rest of a larger one is ignored

  // The task has passed messages::check().
  ClientTask(std::shared_ptr<const messages::TrainTask> task, ArchiveCache archive, std::uint32_t chunk_bytes,
             std::span<const HeldVector> held = {}, const Fetched& before = {});
  ClientTask(messages::TrainTask task, ArchiveCache archive, std::uint32_t chunk_bytes,
             std::span<const HeldVector> held = {}, const Fetched& before = {})
      : ClientTask(std::make_shared<const messages::TrainTask>(std::move(task)), archive, chunk_bytes, held,
                   before) {}

  [[nodiscard]] Verdict apply(const TaskEvent& event, Instant now, std::vector<TaskEffect>& effects);

  [[nodiscard]] const messages::TrainTask& task() const { return *task_; }
  // Shared, because each chunk's effect needs it.
  [[nodiscard]] const std::shared_ptr<const messages::TrainTask>& shared_task() const { return task_; }
  [[nodiscard]] TaskState state() const { return state_; }
  // True for the archive, the inputs' vectors, and the deltas that are used.
  [[nodiscard]] bool fetches(const Digest& blob) const;
  [[nodiscard]] Fetched fetched() const;
  // True if `other` asks for the same work, so that this task's result is also valid for it.
  [[nodiscard]] bool same_work(const messages::TrainTask& other) const;

 private:
  struct Apply;
  void find_path(std::size_t input, std::span<const HeldVector> held);
  void fetch_in_full(std::size_t input);
  void pull_more(std::vector<TaskEffect>& effects);
  void start_blob(Instant now, std::vector<TaskEffect>& effects);
  void next_blob(Instant now, std::vector<TaskEffect>& effects);
  [[nodiscard]] std::uint64_t window_cap() const;
  [[nodiscard]] const Digest& blob() const;
  [[nodiscard]] std::uint64_t blob_bytes() const;

  struct Blob {
    Digest digest;
    std::uint64_t bytes = 0;
    std::size_t input = 0;  // index in the task's inputs
  };

  std::shared_ptr<const messages::TrainTask> task_;
  std::uint64_t chunk_bytes_;
  TaskState state_;
  std::vector<Blob> blobs_;  // of the inputs, in the order in which they are fetched
  std::size_t fetched_ = 0;  // number of blobs_ that are complete
  std::uint64_t received_ = 0;  // bytes of the current blob
  std::uint64_t pulled_ = 0;  // bytes of the current blob that were requested in this session
  FlowWindow window_;
  Digest parked_;  // the blob that had arrived in part when the task was dropped
  std::uint64_t parked_bytes_ = 0;  // its size
  bool verifying_ = false;  // the blob is complete and being checked
  messages::Offer offer_;
};

[[nodiscard]] const char* name(TaskState state) noexcept;

}  // namespace hansa::round
