// Finds out why the aggregator cannot be reached, and logs it.
#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/check/checks.h"
#include "client/config/client_config.h"
#include "common/logging.h"
#include "common/utc.h"
#include "protocols/transport/keys.h"

namespace hansa::client::internal {

// Looks, on a thread of its own, why the aggregator cannot be reached. The resolver cannot be interrupted, so that nobody
// waits for the thread: it holds what it uses.
class OutageCheck {
 public:
  void start(const std::filesystem::path& file, const config::Variables& variables) {
    auto shared = shared_;
    if (shared->running.exchange(true)) return;
    std::thread([shared, file, variables] {
      std::vector<Finding> found;
      // The files as they are now: somebody may be correcting them.
      if (const auto config = read_client_config(file, variables)) {
        if (const auto key = transport::read_secret_key(config->key))
          found = check_connection(*config, *key, utc_seconds_now());
      }
      const std::lock_guard lock(shared->mutex);
      shared->found = std::move(found);
      shared->running = false;
    }).detach();
  }
  [[nodiscard]] std::vector<Finding> take() {
    const std::lock_guard lock(shared_->mutex);
    return std::exchange(shared_->found, {});
  }

 private:
  struct Shared {
    std::atomic<bool> running = false;
    std::mutex mutex;
    std::vector<Finding> found;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

inline void log_findings(const std::vector<Finding>& findings, const Logger& log) {
  for (const Finding& finding : findings) {
    if (finding.outcome == Outcome::failed)
      log.error("check of " + std::string(name(finding.check)) + ": " + finding.text +
                    (finding.hint.empty() ? "" : "; " + finding.hint),
                {.event = LogEvent::check_failed});
    else if (finding.outcome == Outcome::passed)
      log.info("check of " + std::string(name(finding.check)) + ": " + finding.text,
               {.event = LogEvent::check_passed});
  }
}

}  // namespace hansa::client::internal
