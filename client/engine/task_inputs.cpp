#include "client/engine/task_inputs.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "common/vector_digest.h"
#include "protocols/codecs/update.h"

namespace hansa::client {
namespace {

void copy_chunk(std::span<const std::byte> bytes, std::span<std::byte> to, std::uint64_t offset) {
  // The task accepts only chunks that fit. A chunk that does not fit is ignored here, so that it cannot write out of
  // bounds; then the blob fails its verification.
  const bool fits = offset <= to.size() && bytes.size() <= to.size() - offset;
  assert(fits);
  if (fits && !bytes.empty()) std::memcpy(to.data() + offset, bytes.data(), bytes.size());
}

}  // namespace

TaskInputs::TaskInputs(ArchiveStore& archives, LogSink log) : archives_(archives), log_(std::move(log)) {}

void TaskInputs::keep(const KeepChunk& keep, std::span<const std::byte> bytes) {
  if (keep.blob == keep.task->archive) {
    if (keep.offset == 0) archive_bytes_.assign(keep.task->archive_bytes, std::byte{});
    copy_chunk(bytes, archive_bytes_, keep.offset);
    return;
  }
  const auto blob = messages::find_blob(*keep.task, keep.blob);
  if (!blob) return;
  if (blob->delta != nullptr) {
    if (keep.offset == 0) delta_bytes_.resize(blob->delta->bytes);
    copy_chunk(bytes, delta_bytes_, keep.offset);
    return;
  }
  if (keep.offset == 0) {
    unshare_vectors(blob->input);
    TaskVectors::Input& vector = vector_of(*blob->input);
    vector.vector = {};
    vector.digest.reset();
    vector.values.resize(blob->input->bytes / sizeof(float));
  }
  copy_chunk(bytes, std::as_writable_bytes(std::span(vector_of(*blob->input).values)), keep.offset);
}

bool TaskInputs::verify(const VerifyBlob& verify) {
  if (verify.blob == verify.task->archive) return take_archive(verify.blob);
  const auto blob = messages::find_blob(*verify.task, verify.blob);
  if (!blob) return false;
  if (blob->delta == nullptr) return take_vector(*blob->input);
  const auto taken = take_delta(*blob->input, *blob->delta);
  if (!taken && log_)
    log_({Log::Level::warning, "a delta to the " + blob->input->name + " cannot be used (" +
                                   taken.error().text() + "); it is fetched in full"});
  return taken.has_value();
}

std::vector<round::HeldVector> TaskInputs::held() const {
  std::vector<round::HeldVector> out;
  for (const TaskVectors::Input& input : vectors_->inputs)
    if (input.vector != Digest{})
      out.push_back({input.name, input.vector, input.values.size() * sizeof(float)});
  return out;
}

Result<void> TaskInputs::check_values(const messages::TrainTask& task) {
  for (const messages::TaskInput& wanted : task.inputs) {
    if (!wanted.values) continue;
    TaskVectors::Input& input = vector_of(wanted);
    if (!input.digest) input.digest = vector_digest(input.values);
    if (*input.digest != *wanted.values)
      return fail(ErrorCode::refused, "input \"" + wanted.name + "\"",
                  "has other values than those that the cohort of the secure sum agrees on");
  }
  return {};
}

std::vector<learning::InputVector> TaskInputs::for_training(const messages::TrainTask& task) {
  const auto is_unused = [&](const TaskVectors::Input& input) {
    return std::ranges::find(task.inputs, input.name, &messages::TaskInput::name) == task.inputs.end();
  };
  if (std::ranges::any_of(vectors_->inputs, is_unused)) {
    unshare_vectors(nullptr);
    std::erase_if(vectors_->inputs, is_unused);
  }
  std::vector<learning::InputVector> out;
  for (const messages::TaskInput& input : task.inputs) out.push_back({input.name, vector_of(input).values});
  return out;
}

TaskVectors::Input& TaskInputs::vector_of(const messages::TaskInput& wanted) {
  auto& inputs = vectors_->inputs;
  const auto found = std::ranges::find(inputs, wanted.name, &TaskVectors::Input::name);
  return found == inputs.end() ? inputs.emplace_back(TaskVectors::Input{wanted.name, {}, {}, {}}) : *found;
}

bool TaskInputs::take_archive(const Digest& archive) {
  const std::vector<std::byte> bytes = std::exchange(archive_bytes_, {});
  if (sha256(std::span<const std::byte>(bytes)) != archive) return false;
  const auto stored = archives_.put(archive, bytes);
  if (!stored && log_) log_({Log::Level::error, stored.error().text()});
  return stored.has_value();
}

bool TaskInputs::take_vector(const messages::TaskInput& wanted) {
  TaskVectors::Input& input = vector_of(wanted);
  const bool valid = checksum(std::span<const float>(input.values)) == wanted.check;
  input.vector = valid ? wanted.vector : Digest{};
  return valid;
}

// Changes the held vector into the one that the delta leads to. The delta's bytes are not hashed: the channel has
// authenticated them, and the checksum of the final vector is verified.
Result<void> TaskInputs::take_delta(const messages::TaskInput& wanted, const messages::ModelDelta& delta) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::protocol, "model delta", what); };
  if (vector_of(wanted).vector != delta.base) return wrong("starts from another model than this client has");
  HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(wanted.deltas->segments));
  if (vector_of(wanted).values.size() != plan.values()) return wrong("is for another model");
  HANSA_TRY(const codecs::Update update,
            codecs::Update::read(plan, messages::delta_seeds(delta), codecs::delta_magnitude_max,
                                 delta_bytes_, unpacked_));
  unshare_vectors(nullptr);
  TaskVectors::Input& input = vector_of(wanted);
  input.vector = {};
  input.digest.reset();
  const Checksum check = update.accumulate(input.values);
  const Digest reached = messages::name_of(delta);
  // Only the task's vector is verified, not the intermediate vectors.
  if (&delta == &wanted.deltas->deltas.back() && (reached != wanted.vector || check != wanted.check))
    return wrong("does not lead to the task's model");
  input.vector = reached;
  return {};
}

void TaskInputs::unshare_vectors(const messages::TaskInput* except) {
  if (vectors_.use_count() == 1) return;
  auto copy = std::make_shared<TaskVectors>();
  for (const TaskVectors::Input& input : vectors_->inputs)
    if (except == nullptr || input.name != except->name) copy->inputs.push_back(input);
  vectors_ = std::move(copy);
}

std::vector<learning::OutputVector> outputs_of(TaskVectors& vectors, const messages::TrainTask& task) {
  std::vector<learning::OutputVector> out;
  std::span<float> rest = vectors.update;
  for (const messages::TaskOutput& output : task.outputs) {
    out.push_back({output.name, rest.first(output.values)});
    rest = rest.subspan(output.values);
  }
  return out;
}

}  // namespace hansa::client
