// The child's side of internal/protocol.h.
#pragma once
#include <memory>
#include <string>

#include "client/trainer/internal/protocol.h"
#include "common/process/frames.h"
#include "common/process/shared_memory.h"
#include "learning/trainer.h"

namespace hansa::client::internal {

class TaskSupply;

class Service {
 public:
  explicit Service(int channel);
  ~Service();
  // The answer to a request. Errors are part of the answer.
  [[nodiscard]] std::string answer(Frame request);

 private:
  [[nodiscard]] Result<Json> open(const Json& request);
  [[nodiscard]] Result<void> open_data(const Json& request);
  // The task of a request, with its values in the memory.
  [[nodiscard]] Result<Task> task_in_memory(const Json& request, Frame& frame);
  [[nodiscard]] Result<Json> train(const Json& request, Frame& frame);
  [[nodiscard]] Result<Json> find_places(const Json& request, Frame& frame);
  [[nodiscard]] Result<Json> check(const Json& request, Frame& frame);
  [[nodiscard]] Result<Json> read(const Json& request);
  [[nodiscard]] Result<Json> copy(Frame& frame);

  int channel_;
  learning::Scaling scale_ = learning::Scaling::none;
  std::shared_ptr<TaskSupply> supply_;
  std::shared_ptr<const learning::DataSource> opened_;  // null if the parent passes the examples
  std::unique_ptr<learning::Trainer> trainer_;
  SharedMemory memory_;
};

}  // namespace hansa::client::internal
