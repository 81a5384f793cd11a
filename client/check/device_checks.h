// Checks of the device itself: key, clock, state folder, certificate and memory. Each takes what it judges as an argument,
// so that a test can give it a clock of 1970 or a full memory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

#include "client/check/finding.h"
#include "client/config/client_config.h"
#include "common/utc.h"
#include "learning/trainer.h"

namespace hansa::client {

// Whether the configuration approves a model (client/agent/model_policy.h).
[[nodiscard]] Finding configuration_finding(const ClientConfig& config);

// key: what reading the secret key gave.
[[nodiscard]] Finding key_finding(const ClientConfig& config, const Result<transport::SecretKey>& key);

// The clock is wrong if it shows a time before something that has already happened.
struct ClockEvidence {
  UtcSeconds now;
  std::optional<UtcSeconds> configured = {};  // when client.toml was last written
  std::optional<UtcSeconds> certified = {};  // when the device's certificate was issued
};
[[nodiscard]] ClockEvidence clock_evidence(const ClientConfig& config, UtcSeconds now);
[[nodiscard]] Finding clock_finding(const ClockEvidence& evidence);

inline constexpr std::uint64_t state_bytes_min = 64 << 20;  // free space that the state needs
// Writes a small file and removes it, in the folder or, if that is missing, in one that it makes for the time of the check.
[[nodiscard]] Finding state_finding(const std::filesystem::path& folder,
                                    std::uint64_t bytes_min = state_bytes_min);

// The certificate in the device's own NAME.pub; empty: the device has none, and the aggregator has it.
[[nodiscard]] std::optional<Finding> certificate_finding(const ClientConfig& config,
                                                         const transport::SecretKey& key, UtcSeconds now);

// What a training needs.
struct MemoryNeed {
  std::uint64_t bytes = 0;
  std::uint64_t of_examples = 0;  // bytes, of these
  bool is_measured = false;  // otherwise at least this much
};
// peak: what a training step on this device took; empty: none was tried, and the process that trains with LibTorch and the
// examples are estimated, without the model.
[[nodiscard]] MemoryNeed memory_needed(const std::optional<learning::AvailableData>& data,
                                       std::optional<std::uint64_t> peak = {});
[[nodiscard]] Finding memory_finding(const ClientConfig& config, std::optional<std::uint64_t> available,
                                     const MemoryNeed& needed);

}  // namespace hansa::client
