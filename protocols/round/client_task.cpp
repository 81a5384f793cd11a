#include "protocols/round/client_task.h"

#include <algorithm>

namespace hansa::round {

ClientTask::ClientTask(std::shared_ptr<const messages::TrainTask> task, ArchiveCache archive,
                       std::uint32_t chunk_bytes, std::span<const HeldVector> held, const Fetched& before)
    : task_(std::move(task)),
      chunk_bytes_(chunk_bytes),
      state_(archive == ArchiveCache::present ? TaskState::fetching_inputs : TaskState::fetching_archive),
      window_(before.window) {
  for (std::size_t input = 0; input < task_->inputs.size(); ++input) find_path(input, held);
  // If this task claims another size for the blob, it is fetched from its start.
  if (before.blob == blob() && before.blob_bytes == blob_bytes() && before.bytes < blob_bytes())
    received_ = before.bytes;
}

// Appends the blobs that must be fetched for an input.
void ClientTask::find_path(std::size_t input, std::span<const HeldVector> held) {
  const messages::TaskInput& wanted = task_->inputs[input];
  const auto found = std::ranges::find(held, wanted.name, &HeldVector::input);
  // If the task claims another size for a vector of the same name, the held vector is not used.
  if (found != held.end() && found->bytes == wanted.bytes) {
    if (found->vector == wanted.vector) return;
    if (wanted.deltas) {
      const auto& deltas = wanted.deltas->deltas;
      const auto from = std::ranges::find(deltas, found->vector, &messages::ModelDelta::base);
      for (auto delta = from; delta != deltas.end(); ++delta)
        blobs_.push_back({delta->blob, delta->bytes, input});
      if (from != deltas.end()) return;
    }
  }
  blobs_.push_back({wanted.vector, wanted.bytes, input});
}

// Replaces the input's deltas with its full vector, which is fetched next.
void ClientTask::fetch_in_full(std::size_t input) {
  const auto range = std::ranges::equal_range(blobs_, input, {}, &Blob::input);
  const auto at = blobs_.erase(range.begin(), range.end());
  const messages::TaskInput& wanted = task_->inputs[input];
  fetched_ =
      static_cast<std::size_t>(blobs_.insert(at, {wanted.vector, wanted.bytes, input}) - blobs_.begin());
}

bool ClientTask::same_work(const messages::TrainTask& other) const {
  const auto same_input = [](const messages::TaskInput& a, const messages::TaskInput& b) {
    return a.name == b.name && a.vector == b.vector && a.values == b.values && a.bytes == b.bytes;
  };
  return task_->task == other.task && task_->round == other.round && task_->archive == other.archive &&
         task_->archive_bytes == other.archive_bytes && task_->layout == other.layout &&
         std::ranges::equal(task_->inputs, other.inputs, same_input) && task_->method == other.method &&
         task_->outputs == other.outputs && task_->seed == other.seed &&
         task_->magnitude_max == other.magnitude_max && task_->hold_out == other.hold_out &&
         task_->compression == other.compression && task_->secure.has_value() == other.secure.has_value() &&
         (!task_->secure || task_->secure->seed == other.secure->seed);
}

bool ClientTask::fetches(const Digest& blob) const {
  const auto is_it = [&](const Digest& digest) { return digest == blob; };
  return is_it(task_->archive) || std::ranges::any_of(task_->inputs, is_it, &messages::TaskInput::vector) ||
         std::ranges::any_of(blobs_, is_it, &Blob::digest);
}

const Digest& ClientTask::blob() const {
  if (state_ == TaskState::fetching_archive) return task_->archive;
  return fetched_ < blobs_.size() ? blobs_[fetched_].digest : task_->inputs.back().vector;
}

std::uint64_t ClientTask::blob_bytes() const {
  if (state_ == TaskState::fetching_archive) return task_->archive_bytes;
  return fetched_ < blobs_.size() ? blobs_[fetched_].bytes : 0;
}

Fetched ClientTask::fetched() const {
  if (state_ == TaskState::dropped) return {window_, parked_, received_, parked_bytes_};
  const bool fetching = state_ == TaskState::fetching_archive || state_ == TaskState::fetching_inputs;
  return {window_, blob(), fetching && !verifying_ ? received_ : 0, blob_bytes()};
}

std::uint64_t ClientTask::window_cap() const {
  return std::min<std::uint64_t>(chunks_in_flight * chunk_bytes_, messages::pull_bytes_max);
}

// Requests bytes so that about a window is in flight.
void ClientTask::pull_more(std::vector<TaskEffect>& effects) {
  const std::uint64_t window = std::min(window_.bytes(), window_cap());
  const std::uint64_t wanted = std::min(blob_bytes(), received_ + window);
  if (pulled_ >= wanted) return;
  // Requests at least half of the window at a time, so that one Pull serves several chunks.
  if (pulled_ > received_ && wanted < blob_bytes() && wanted - pulled_ < window / 2) return;
  effects.emplace_back(
      SendMessage{messages::Pull{blob(), pulled_, static_cast<std::uint32_t>(wanted - pulled_)}});
  pulled_ = wanted;
}

// Fetches the next blob of an input, or starts the training if there is none.
void ClientTask::next_blob(Instant now, std::vector<TaskEffect>& effects) {
  if (fetched_ < blobs_.size()) return start_blob(now, effects);
  state_ = TaskState::training;
  effects.emplace_back(StartTraining{});
}

void ClientTask::start_blob(Instant now, std::vector<TaskEffect>& effects) {
  received_ = pulled_ = 0;
  window_.begin(now);
  verifying_ = false;
  if (blob_bytes() == 0) {
    verifying_ = true;
    effects.emplace_back(KeepChunk{blob(), 0});
    effects.emplace_back(VerifyBlob{blob()});
    return;
  }
  pull_more(effects);
}

struct ClientTask::Apply {
  ClientTask& t;
  Instant now;
  std::vector<TaskEffect>& effects;

  [[nodiscard]] bool fetching() const {
    return t.state_ == TaskState::fetching_archive || t.state_ == TaskState::fetching_inputs;
  }
  [[nodiscard]] bool has_update() const {
    return t.state_ == TaskState::offering || t.state_ == TaskState::uploading ||
           t.state_ == TaskState::counted;
  }

  bool operator()(const SessionOpened& e) const {
    if (e.chunk_bytes > 0) t.chunk_bytes_ = e.chunk_bytes;
    if (fetching()) {
      if (t.verifying_) return true;
      if (t.received_ == 0) {
        if (t.pulled_ > 0) t.window_.resume(now);
        if (t.state_ == TaskState::fetching_archive) t.start_blob(now, effects);
        else t.next_blob(now, effects);
      } else {
        if (t.pulled_ > t.received_) t.window_.resume(now);
        else t.window_.begin(now);
        t.pulled_ = t.received_;  // bytes requested in the old session will not arrive
        t.pull_more(effects);
      }
      return true;
    }
    if (has_update()) {
      t.state_ = TaskState::offering;
      effects.emplace_back(SendMessage{t.offer_});
      return true;
    }
    if (t.state_ == TaskState::declined) return false;
    return t.state_ == TaskState::training;
  }

  bool operator()(const ChunkArrived& e) const {
    if (!fetching() || t.verifying_ || e.blob != t.blob() || e.offset != t.received_ || e.bytes == 0 ||
        e.bytes > t.blob_bytes() - t.received_)
      return false;
    effects.emplace_back(KeepChunk{e.blob, e.offset});
    t.received_ += e.bytes;
    t.window_.arrived(e.bytes, t.window_cap(), now);
    t.pulled_ = std::max(t.pulled_, t.received_);
    if (t.received_ == t.blob_bytes()) {
      t.verifying_ = true;
      effects.emplace_back(VerifyBlob{t.blob()});
    } else {
      t.pull_more(effects);
    }
    return true;
  }

  bool operator()(const BlobVerified& e) const {
    if (!fetching() || !t.verifying_ || e.blob != t.blob()) return false;
    if (t.state_ == TaskState::fetching_archive) t.state_ = TaskState::fetching_inputs;
    else ++t.fetched_;
    t.received_ = t.pulled_ = 0;
    t.verifying_ = false;
    t.next_blob(now, effects);
    return true;
  }

  bool operator()(const BlobDamaged& e) const {
    if (!fetching() || !t.verifying_ || e.blob != t.blob()) return false;
    // A delta that arrived intact may still lead to a wrong vector, and fetching it again would not help.
    if (t.state_ == TaskState::fetching_inputs) t.fetch_in_full(t.blobs_[t.fetched_].input);
    t.start_blob(now, effects);
    return true;
  }

  bool operator()(const TrainingDone& e) const {
    if (t.state_ != TaskState::training) return false;
    t.offer_ = e.offer;
    t.state_ = TaskState::offering;
    effects.emplace_back(SendMessage{t.offer_});
    return true;
  }

  bool operator()(const TrainingFailed& e) const {
    if (t.state_ != TaskState::training && !fetching()) return false;
    t.state_ = TaskState::declined;
    effects.emplace_back(SendMessage{messages::Decline{t.task_->task, e.report}});
    return true;
  }

  bool operator()(const UpdateWithdrawn&) const {
    if (!has_update()) return false;
    t.state_ = TaskState::training;
    return true;
  }

  bool operator()(const GrantArrived& e) const {
    if (t.state_ != TaskState::offering && t.state_ != TaskState::uploading) return false;
    if (e.offset > e.limit || e.limit > t.offer_.bytes) return false;
    t.state_ = TaskState::uploading;
    const std::uint64_t limit = e.offset + std::min(e.limit - e.offset, grant_chunks_max * t.chunk_bytes_);
    const std::uint64_t chunk = chunk_of_range(limit - e.offset, t.chunk_bytes_);
    for (std::uint64_t offset = e.offset; offset < limit;) {
      const std::uint64_t bytes = std::min(chunk, limit - offset);
      effects.emplace_back(SendUpdateRange{offset, bytes});
      offset += bytes;
    }
    return true;
  }

  bool operator()(const ReceiptArrived& e) const {
    if (!has_update()) return false;
    const bool is_in_sum = e.verdict == messages::Verdict::counted || e.verdict == messages::Verdict::summed;
    t.state_ = is_in_sum ? TaskState::counted : TaskState::dropped;
    return true;
  }

  bool operator()(const CancelArrived&) const {
    if (t.state_ == TaskState::counted || t.state_ == TaskState::dropped) return false;
    if (t.state_ == TaskState::training) effects.emplace_back(StopTraining{});
    const Fetched fetched = t.fetched();
    t.parked_ = fetched.blob;
    t.parked_bytes_ = fetched.blob_bytes;
    t.received_ = fetched.bytes;
    t.state_ = TaskState::dropped;
    return true;
  }
};

Verdict ClientTask::apply(const TaskEvent& event, Instant now, std::vector<TaskEffect>& effects) {
  return std::visit(Apply{*this, now, effects}, event) ? Verdict::accepted : Verdict::discarded;
}

const char* name(TaskState state) noexcept {
  switch (state) {
    case TaskState::fetching_archive: return "fetching the model archive";
    case TaskState::fetching_inputs: return "fetching the model";
    case TaskState::training: return "training";
    case TaskState::offering: return "offering its update";
    case TaskState::uploading: return "sending its update";
    case TaskState::counted: return "counted";
    case TaskState::declined: return "declined";
    case TaskState::dropped: return "dropped";
  }
  return "";
}

}  // namespace hansa::round
