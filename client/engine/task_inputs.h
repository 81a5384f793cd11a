// The blobs that a task needs: its archive, and the model in full or as deltas to the model that the device holds.
//
// Takes their chunks, verifies what is complete, and keeps the vectors of the task. One thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "client/engine/ports.h"

namespace hansa::client {

class TaskInputs {
 public:
  // archives outlives the object.
  TaskInputs(ArchiveStore& archives, LogSink log);

  // Keeps a chunk that the task asked for.
  void keep(const KeepChunk& keep, std::span<const std::byte> bytes);
  // Verifies a complete blob and takes it: stores an archive, or applies a model delta. False if it is not what its
  // name says.
  [[nodiscard]] bool verify(const VerifyBlob& verify);

  // The model that vectors()->global is; zero: not known.
  [[nodiscard]] const Digest& held_model() const { return held_model_; }
  [[nodiscard]] const std::shared_ptr<TaskVectors>& vectors() const { return vectors_; }

 private:
  [[nodiscard]] bool take_archive(const Digest& archive);
  [[nodiscard]] bool take_model(const messages::TrainTask& task);
  [[nodiscard]] Result<void> take_delta(const messages::TrainTask& task, const messages::ModelDelta& delta);
  void unshare_vectors();

  ArchiveStore& archives_;
  LogSink log_;
  std::vector<std::byte> archive_bytes_;  // of the archive that is being fetched
  std::vector<std::byte> delta_bytes_;  // of the model delta that is being fetched
  std::vector<std::byte> unpacked_;  // memory for reading model deltas
  std::shared_ptr<TaskVectors> vectors_ = std::make_shared<TaskVectors>();
  Digest held_model_;
};

}  // namespace hansa::client
