// Notices what aggregators write into run folders, for the event stream of a server that is no aggregator: the events round,
// evaluation and run of docs/api.md.
//
// It compares the times of files (run_source.h), so that it works in network folders, too. One thread, which need not be
// that of an Api over the same folders.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/monitor/run_library.h"

namespace hansa::server {

class RunWatch {
 public:
  using Publish = std::function<void(std::string_view event, std::string json)>;
  RunWatch(std::vector<std::filesystem::path> folders, Publish publish);

  // Publishes what has changed since the last call; the first one publishes nothing. Of more new rounds than
  // rounds_published_max it publishes that the run changed. What cannot be read is looked at again the next time.
  void look();
  static constexpr std::uint32_t rounds_published_max = 100;

 private:
  struct Known {
    RunState state = RunState::empty;
    RoundId last;
    std::vector<std::pair<RoundId, Metrics>> evaluations;
  };
  void publish_rounds(RunSource& run, RoundId after);
  void publish_evaluations(const RunSource& run, const Known& before);

  RunLibrary library_;
  Publish publish_;
  std::map<std::string, Known> known_;
  bool has_looked_ = false;
};

}  // namespace hansa::server
