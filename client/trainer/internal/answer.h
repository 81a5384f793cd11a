// Checks what a trainer's child reports. A model's code may have taken it over: every number is compared with what a
// training of this task can give, and no text is used but in errors.
#pragma once
#include <span>

#include "client/trainer/internal/protocol.h"
#include "client/trainer/internal/task_memory.h"
#include "common/time.h"
#include "learning/trainer.h"
#include "learning/value_places.h"

namespace hansa::client::internal {

struct Expected {
  std::uint64_t examples = 0;  // that the task was given
  double seconds = 0;  // that the training took here
};

// Copies the outputs from the memory and returns the result. Fails with the child's error, or with `model` if a value
// cannot be right; the outputs are zero then.
[[nodiscard]] Result<learning::TrainingResult> accept_answer(std::string_view frame, const Task& task,
                                                             const TaskMemory& memory,
                                                             const Expected& expected,
                                                             std::span<const learning::OutputVector> outputs);

// Where the archive holds the values, copied from the memory. The shared layout is the request's, by its digest; places that
// are not in the archive are for the user to refuse (learning/archive_copy.h). Fails as accept_answer() does.
[[nodiscard]] Result<learning::ValuePlaces> accept_places(std::string_view frame, const Task& task,
                                                          const TaskMemory& memory);

}  // namespace hansa::client::internal
