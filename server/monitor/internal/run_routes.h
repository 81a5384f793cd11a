// GET /runs and everything below it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/http/message.h"
#include "server/monitor/run_library.h"

namespace hansa::server::internal {

// The run on which the aggregator in this process works. Its configuration has the values of environment variables too,
// which the run's own copy has not.
struct LiveRun {
  std::string name;
  const FederationConfig* config = nullptr;
};

class RunRoutes {
 public:
  explicit RunRoutes(std::vector<std::filesystem::path> folders) : library_(std::move(folders)) {}

  [[nodiscard]] http::Response list(const http::Request& request, const std::optional<LiveRun>& live);
  // segments: of the path below /runs. A run's name may be several segments. Empty: the path is no route.
  [[nodiscard]] std::optional<http::Response> handle(const http::Request& request,
                                                     const std::vector<std::string>& segments,
                                                     const std::optional<LiveRun>& live);
  // The rounds for which a client was selected, of the newest runs: [{"run", "round", ...}], at most `most`.
  [[nodiscard]] Result<std::string> history_of(const std::string& client, std::size_t most);
  // The federation of all runs; empty: they are of several, or there are none.
  [[nodiscard]] Result<std::string> federation();
  void tidy() { library_.tidy(); }

 private:
  // What a request is about: a run that can be read and has begun.
  struct Subject {
    RunSource& run;
    Run& store;
    const FederationConfig* config = nullptr;  // null: not known
  };
  [[nodiscard]] Result<std::string> detail(const Subject& subject);
  [[nodiscard]] Result<std::string> rounds(const http::Request& request, const Subject& subject);
  [[nodiscard]] Result<std::string> round(const Subject& subject, RoundId round);
  [[nodiscard]] Result<std::string> model(const Subject& subject);
  [[nodiscard]] Result<std::string> configuration(const Subject& subject);
  [[nodiscard]] Result<std::string> privacy(const Subject& subject);
  [[nodiscard]] http::Response values(const Subject& subject, RoundId round);
  [[nodiscard]] http::Response answer(const http::Request& request, const Subject& subject,
                                      const std::vector<std::string>& rest);

  RunLibrary library_;
};

}  // namespace hansa::server::internal
