// In the place of hansa-trainer: what a trainer does that a model's code has taken over. It opens no data and loads no
// model. Of an archive NAME it answers with the texts in the file NAME.places, if there is one: the number of the bytes of each
// text in a line, an empty line, and the texts. Otherwise it counts steps for ever instead of finding places.
#include <algorithm>
#include <fstream>
#include <iterator>
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
    const hansa::client::internal::TaskMemory shared(memory->bytes(), task.sizes);
    const auto archive = request->at("archive").get<std::string>();
    if (std::ifstream lies(archive + ".places"); lies) return answer_with(lies, shared);
    // Where the test sees that the parent waits now.
    std::ofstream(archive + ".saving") << "now";
    while (true) {
      ++shared.progress();
      ::usleep(1'000);
    }
  }

 private:
  static std::string answer_with(std::ifstream& lies, const hansa::client::internal::TaskMemory& memory) {
    Json sizes = Json::array();
    for (std::string line; std::getline(lies, line) && !line.empty();) sizes.push_back(std::stoull(line));
    const std::string texts(std::istreambuf_iterator<char>(lies), {});
    std::ranges::copy(std::as_bytes(std::span(texts)), std::as_writable_bytes(memory.kept_results()).begin());
    return hansa::learning::frame_of({{"ok", true}, {"texts", std::move(sizes)}});
  }
};

}  // namespace

int main(int count, char** arguments) {
  return hansa::run_child_program<TakenOverTrainer>(count, arguments, {"A part of a test.", ""});
}
