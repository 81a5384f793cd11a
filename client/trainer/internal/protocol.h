// The frames between hansa-client and its child hansa-trainer: JSON, with values of learning/wire/wire.h.
//
//   {"op":"open","data":{..}|null,"threads":N,"task_bytes_max":N,"memory_bytes_max":N,"secret":[PATH,..],
//    "lock":true|false}
//                              -> {"ok":true,"examples":N,"landlock":true|false}
//     opens the data without reading what is secret (common/sandbox/reading.h), and then locks the process
//   {"op":"train", json_of(Task)} + the archive's descriptor, + the memory's if "new_memory"
//                              -> {"ok":true,"examples":N,"samples":N,"seconds":S,"metrics":[..],
//                                  "kept":[{"name":..,"of":..,"values":N}]}
//     the outputs and the vectors to keep are in the memory
//   {"op":"places", as "train" without outputs and values}
//                              -> {"ok":true,"texts":[N,N,N,N]}
//     where the archive holds the values of its layout and of the personal parameters: in the room for vectors to keep
//     are, one after the other, the layout, its places (learning/value_places.h), the personal layout and its places, with
//     these numbers of bytes
//   {"op":"read","data":{..},"secret":[PATH,..],"lock":true|false}
//                              -> {"ok":true,"location":..,"shape":{..},"examples":N}
//   {"op":"copy"} + memory     -> {"ok":true}
//     instead of "open": copies the examples of the data that "read" opened
//   any of them                -> {"ok":false,"code":..,"location":..,"what":..,"hint":..}
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/trainer/internal/task_memory.h"
#include "learning/data/data_source.h"
#include "learning/trainer.h"
#include "learning/wire/wire.h"

namespace hansa::client::internal {

using learning::Json;

// The examples of a task, in the memory.
struct PassedExamples {
  std::string location;
  learning::ExampleShape shape;
  std::uint64_t count = 0;
};

struct Task {
  std::string operation = "train";
  learning::TrainingRequest request;  // in the child without its archive; without the vectors' values
  TaskSizes sizes;
  std::vector<std::string> output_names;
  std::vector<std::pair<std::string, Digest>> kept;
  std::optional<PassedExamples> examples;
  std::uint64_t memory_bytes = 0;
  bool new_memory = false;
};

// Absolute paths.
[[nodiscard]] Json json_of(const std::vector<std::filesystem::path>& paths);
[[nodiscard]] Json json_of(const Task& task);
[[nodiscard]] Task task_of(const Json& json);  // throws Json::exception

// The sizes of `count` examples of this shape.
void add_examples(const learning::ExampleShape& shape, std::uint64_t count, TaskSizes& sizes);
// Copies all examples into the memory.
[[nodiscard]] Result<void> copy_examples(const learning::DataSource& source, const TaskMemory& memory);

}  // namespace hansa::client::internal
