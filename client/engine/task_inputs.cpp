#include "client/engine/task_inputs.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "protocols/codecs/update.h"

namespace hansa::client {
namespace {

const messages::ModelDelta* delta_of(const messages::TrainTask& task, const Digest& blob) {
  if (!task.deltas) return nullptr;
  const auto found = std::ranges::find(task.deltas->deltas, blob, &messages::ModelDelta::blob);
  return found == task.deltas->deltas.end() ? nullptr : &*found;
}

void copy_chunk(std::span<const std::byte> bytes, std::span<std::byte> to, std::uint64_t offset) {
  // The task lets only chunks pass that fit. One that does not must still not write outside: it is left out, and the
  // blob does not match its digest.
  const bool fits = offset <= to.size() && bytes.size() <= to.size() - offset;
  assert(fits);
  if (fits && !bytes.empty()) std::memcpy(to.data() + offset, bytes.data(), bytes.size());
}

}  // namespace

TaskInputs::TaskInputs(ArchiveStore& archives, LogSink log) : archives_(archives), log_(std::move(log)) {}

void TaskInputs::keep(const KeepChunk& keep, std::span<const std::byte> bytes) {
  if (keep.blob == keep.task.archive) {
    if (keep.offset == 0) archive_bytes_.assign(keep.task.archive_bytes, std::byte{});
    copy_chunk(bytes, archive_bytes_, keep.offset);
    return;
  }
  if (keep.blob != keep.task.model) {
    const messages::ModelDelta* delta = delta_of(keep.task, keep.blob);
    if (delta == nullptr) return;
    if (keep.offset == 0) delta_bytes_.resize(delta->bytes);
    copy_chunk(bytes, delta_bytes_, keep.offset);
    return;
  }
  if (keep.offset == 0) {
    held_model_ = {};
    // A stopped training may still read the old vectors, and ZeroMQ may still send from them.
    if (vectors_.use_count() > 1) vectors_ = std::make_shared<TaskVectors>();
    vectors_->global.resize(keep.task.model_bytes / sizeof(float));
  }
  copy_chunk(bytes, std::as_writable_bytes(std::span(vectors_->global)), keep.offset);
}

bool TaskInputs::verify(const VerifyBlob& verify) {
  if (verify.blob == verify.task.archive) return take_archive(verify.blob);
  if (verify.blob == verify.task.model) return take_model(verify.task);
  const messages::ModelDelta* delta = delta_of(verify.task, verify.blob);
  if (delta == nullptr) return false;
  const auto taken = take_delta(verify.task, *delta);
  if (!taken && log_)
    log_(Log::Level::warning,
         "a delta to the model cannot be used (" + taken.error().text() + "); the model is fetched in full");
  return taken.has_value();
}

bool TaskInputs::take_archive(const Digest& archive) {
  const std::vector<std::byte> bytes = std::exchange(archive_bytes_, {});
  if (sha256(std::span<const std::byte>(bytes)) != archive) return false;
  const auto stored = archives_.put(archive, bytes);
  if (!stored && log_) log_(Log::Level::error, stored.error().text());
  return stored.has_value();
}

bool TaskInputs::take_model(const messages::TrainTask& task) {
  const bool valid = checksum(std::span<const float>(vectors_->global)) == task.model_check;
  held_model_ = valid ? task.model : Digest{};
  return valid;
}

// Changes the held model into the one that the delta leads to. The delta's bytes are not hashed: the channel has
// authenticated them, and the model that the last delta leads to has a checksum.
Result<void> TaskInputs::take_delta(const messages::TrainTask& task, const messages::ModelDelta& delta) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::protocol, "model delta", what); };
  if (held_model_ != delta.base) return wrong("starts from another model than this client has");
  HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(task.deltas->segments));
  if (vectors_->global.size() != plan.values()) return wrong("is for another model");
  HANSA_TRY(const codecs::Update update,
            codecs::Update::read(plan, messages::delta_seeds(delta), codecs::delta_magnitude_max,
                                 delta_bytes_, unpacked_));
  unshare_vectors();
  held_model_ = {};
  const Checksum check = update.accumulate(vectors_->global);
  const Digest reached = messages::name_of(delta);
  // Only the task's model is verified, not those on the way to it.
  if (&delta == &task.deltas->deltas.back() && (reached != task.model || check != task.model_check))
    return wrong("does not lead to the task's model");
  held_model_ = reached;
  return {};
}

void TaskInputs::unshare_vectors() {
  if (vectors_.use_count() == 1) return;
  auto copy = std::make_shared<TaskVectors>();
  copy->global = vectors_->global;
  vectors_ = std::move(copy);
}

}  // namespace hansa::client
