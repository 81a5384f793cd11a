// In the place of hansa-trainer: what a trainer does that a model's code has taken over. It opens no data and loads no
// model, and counts steps for ever instead of saving one.
#include <fstream>
#include <string>
#include <utility>

#include <unistd.h>

#include "client/trainer/internal/protocol.h"
#include "common/process/child_program.h"
#include "common/process/shared_memory.h"

namespace {

using hansa::client::internal::Json;

class TakenOverTrainer {
 public:
  explicit TakenOverTrainer(int) {}

  std::string answer(hansa::Frame frame) {
    const auto request = hansa::learning::parse_frame(frame.text, "request");
    if (!request) return hansa::learning::frame_of({{"ok", false}});
    if (request->at("op") == "open")
      return hansa::learning::frame_of({{"ok", true}, {"examples", 1}, {"landlock", true}});
    const auto task = hansa::client::internal::task_of(*request);
    auto memory = hansa::SharedMemory::map(std::move(frame.descriptors.at(1)), task.memory_bytes);
    if (!memory) return hansa::learning::frame_of({{"ok", false}});
    // Where the test sees that the parent waits now.
    std::ofstream(request->at("archive").get<std::string>() + ".saving") << "now";
    const hansa::client::internal::TaskMemory shared(memory->bytes(), task.sizes);
    while (true) {
      ++shared.progress();
      ::usleep(1'000);
    }
  }
};

}  // namespace

int main(int count, char** arguments) {
  return hansa::run_child_program<TakenOverTrainer>(count, arguments, {"A part of a test.", ""});
}
