// The forms in which a trained update leaves the device: float32, encoded, withheld until it is masked, masked.
//
// A form turns the trained vector into the bytes that are offered and uploaded, and stages what the device must keep
// for the next update if this one is counted. It may be called again for the same task, for example when a secure sum
// is repeated. Then it starts from what the ledger held before the task, and replaces what it staged. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "client/engine/ports.h"
#include "client/ledger/device_ledger.h"
#include "common/checksum.h"
#include "common/error.h"

namespace hansa::client {

// Memory that successive updates reuse, so that a form allocates nothing in the steady state.
struct UpdateMemory {
  std::shared_ptr<std::vector<std::byte>> bytes;  // of the last update that was not sent as float32
  std::vector<std::uint32_t> ring_elements;  // masked before they leave
  std::vector<float> corrected;  // an update plus the residual of earlier ones

  // A buffer that is not in use. ZeroMQ may still be sending from the previous update's buffer.
  [[nodiscard]] std::shared_ptr<std::vector<std::byte>> unused_bytes();
};

// The engine owns all parts, and they outlive the call.
struct UpdateParts {
  const std::shared_ptr<TaskVectors>& vectors;  // trained
  DeviceLedger& ledger;
  StagedChanges& staged;  // of the task
  UpdateMemory& memory;
};

// The bytes of an update that may be sent.
struct OutgoingUpdate {
  TaskId task;
  Checksum check;  // of the bulk; of the trained values if nothing may be sent yet
  transport::Bulk bulk;  // empty: nothing may be sent (yet)
  bool masked = false;
};

class UpdateForm {
 public:
  virtual ~UpdateForm() = default;
  // Fails (data) if the update holds a value that cannot be sent, (storage) if the ledger cannot be read.
  [[nodiscard]] virtual Result<OutgoingUpdate> prepare(const UpdateParts& parts) = 0;
};

// The form of a task's update when its training has ended. The task outlives the form.
[[nodiscard]] std::unique_ptr<UpdateForm> form_of(const messages::TrainTask& task);
// The form of an update whose masks are known. The mask outlives the form.
[[nodiscard]] std::unique_ptr<UpdateForm> form_of(const MaskUpdate& mask);

}  // namespace hansa::client
