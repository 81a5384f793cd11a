// The configuration of the device agent.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/agent/model_policy.h"
#include "client/agent/reporting.h"
#include "common/methods.h"
#include "common/time.h"
#include "protocols/secure_aggregation/client.h"

namespace hansa::client {

enum class WhenFinished : std::uint8_t { stop, stay };

// Whether the client fetches the last model of a federation that is finished.
enum class LastModelWanted : std::uint8_t { no, yes };

// What a client needs for secure aggregation, and what it requires.
struct SecureSums {
  std::shared_ptr<const secure_aggregation::SigningKey> key;
  secure_aggregation::IdentityKey root{};
  secure_aggregation::Policy policy;
  bool required = true;  // a task whose update the aggregator would see is declined
  secure_aggregation::OpenedSums opened = {};  // the sums that this client helped to open, from its state
  std::optional<secure_aggregation::IdentityKey> former_root = {};  // holds too, while the root key changes
};

struct AgentConfig {
  std::string federation;
  std::string software;
  std::uint64_t instance = 0;  // random at process start; also seeds the jitter
  WhenFinished when_finished = WhenFinished::stop;
  LastModelWanted last_model = LastModelWanted::no;
  Duration reconnect_min = std::chrono::milliseconds(500);
  Duration reconnect_max = std::chrono::seconds(30);
  Duration greeting_max = std::chrono::seconds(10);  // Hello to Welcome
  Duration stall_max = std::chrono::seconds(60);  // without progress of a transfer
  Duration report_min = std::chrono::seconds(1);  // between two reports of data
  ReportPolicy reports;
  bool decline_without_new = false;  // decline a task if no example is new
  std::optional<SecureSums> secure_sums;  // empty: tasks with secure sums are declined
  std::uint64_t blob_bytes_max = 4ULL << 30;  // a task with a larger archive, input or update is declined
  ModelPolicy models;  // a task with an archive that this does not approve is declined
  MethodTable methods = built_in_methods();  // a task with another method is declined
};

}  // namespace hansa::client
