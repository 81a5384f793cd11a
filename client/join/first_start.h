// Joins when hansa-client starts without a client.toml: for a container that has only a token and a place for its state.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "common/config/variables.h"
#include "common/error.h"

namespace hansa::client {

// Does nothing if `file` exists or the variables have no token. Otherwise joins in the file's folder and writes the file,
// which must be named client.toml. Waits, also for an aggregator that cannot be reached, until the operator has approved
// the device. Fails with `usage` if the token cannot be read, and as join() does (join.h), except with `network`.
// on_note: lines for the log; none has a part of the token.
[[nodiscard]] Result<void> join_at_first_start(const std::filesystem::path& file,
                                               const config::Variables& variables,
                                               const std::function<void(const std::string&)>& on_note,
                                               const std::atomic<bool>& stop);

}  // namespace hansa::client
