// Whether a client that serves has to use other keys. One thread.
#pragma once
#include <filesystem>
#include <optional>
#include <utility>

#include "client/config/client_config.h"
#include "client/keys/accepted_keys.h"
#include "common/time.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/transport/keys.h"

namespace hansa::client::internal {

// Notices that the device's key was changed (hansa-client rotate), or that other root keys hold (accepted_keys.h). What they are
// used for is made when the client starts to serve.
class KeyWatch {
 public:
  KeyWatch(ClientConfig config, const transport::PublicKey& own,
           const std::optional<enrolment::TrustedRoots>& roots)
      : config_(std::move(config)), own_(own), roots_(roots) {}

  // Looks at most once a second.
  [[nodiscard]] bool has_changed(Instant now) {
    if (has_changed_ || now < next_) return has_changed_;
    next_ = now + std::chrono::seconds(1);
    has_changed_ = has_other_key() || has_other_roots(now);
    return has_changed_;
  }

 private:
  [[nodiscard]] bool has_other_key() {
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(config_.key, missing);
    if (std::exchange(key_written_, written) == written) return false;
    const auto key = transport::read_secret_key(config_.key);
    if (!key) return false;
    const auto read = key->public_key();
    return read && *read != own_;
  }
  // A root key ends by the clock, too.
  [[nodiscard]] bool has_other_roots(Instant now) {
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(AcceptedKeys::file_of(config_), missing);
    if (std::exchange(roots_written_, written) == written && now < next_roots_) return false;
    next_roots_ = now + std::chrono::minutes(1);
    const auto accepted = AcceptedKeys::open(config_);
    return accepted && accepted->roots(utc_seconds_now()) != roots_;
  }

  ClientConfig config_;
  transport::PublicKey own_;
  std::optional<enrolment::TrustedRoots> roots_;
  std::filesystem::file_time_type key_written_, roots_written_;  // of the files that were read last
  Instant next_, next_roots_;
  bool has_changed_ = false;
};

}  // namespace hansa::client::internal
