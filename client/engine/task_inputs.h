// The blobs that a task needs: its archive, and each of its inputs in full or as deltas to the vector that the device
// holds under the input's name.
//
// Collects their chunks, verifies complete blobs, and keeps the vectors of the task. One thread.
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
  // Verifies a complete blob and uses it: stores an archive, accepts a vector, or applies a delta. False if the blob is
  // damaged or cannot be used.
  [[nodiscard]] bool verify(const VerifyBlob& verify);

  // The complete vectors. for_training() removes those of inputs that its task does not have.
  [[nodiscard]] std::vector<round::HeldVector> held() const;
  // Compares the values with the digests that the task names, if it does. All inputs must be complete. Fails (refused)
  // if an input has other values: the aggregator showed this client another vector than the one that the setup of the
  // secure sum names.
  [[nodiscard]] Result<void> check_values(const messages::TrainTask& task);
  // The inputs of the task's training, all of which must be complete.
  [[nodiscard]] std::vector<learning::InputVector> for_training(const messages::TrainTask& task);
  [[nodiscard]] const std::shared_ptr<TaskVectors>& vectors() const { return vectors_; }

 private:
  [[nodiscard]] bool take_archive(const Digest& archive);
  [[nodiscard]] bool take_vector(const messages::TaskInput& wanted);
  [[nodiscard]] Result<void> take_delta(const messages::TaskInput& wanted, const messages::ModelDelta& delta);
  // The vector under the input's name; a new, empty one if there is none.
  [[nodiscard]] TaskVectors::Input& vector_of(const messages::TaskInput& wanted);
  // Copies the vectors, except that of `except`, if they are still in use: a stopped training may still read them, and
  // ZeroMQ may still send from them.
  void unshare_vectors(const messages::TaskInput* except);

  ArchiveStore& archives_;
  LogSink log_;
  std::vector<std::byte> archive_bytes_;  // of the archive that is being fetched
  std::vector<std::byte> delta_bytes_;  // of the delta that is being fetched
  std::vector<std::byte> unpacked_;  // memory for reading deltas
  std::shared_ptr<TaskVectors> vectors_ = std::make_shared<TaskVectors>();
};

}  // namespace hansa::client
