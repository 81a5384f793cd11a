// What a check of a device's set-up found: one line for the operator, with a hint if something is wrong.
#pragma once
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"

namespace hansa::client {

enum class Outcome : std::uint8_t { passed, failed, not_tried };

// The checks, in the order in which they are shown.
enum class Check : std::uint8_t {
  configuration,  // client.toml can be read, and approves a model
  key,  // the device's secret key
  clock,
  state,  // the folder of the device's state can be written, and has room
  name,  // the aggregator's host name has an address
  tcp,  // its port accepts connections
  proxy,
  handshake,  // CURVE: the peer is the aggregator with the pinned key
  admission,  // the aggregator admits the device's key
  version,  // of the protocol
  federation,  // the aggregator runs the device's federation
  session,  // no other device uses the key
  certificate,  // holds for this federation
  data,  // can be read
  contract,  // the data fits the federation's data contract
  model,  // the data fits the model that the device trained last
  memory,
};
[[nodiscard]] std::string_view name(Check check);

struct Finding {
  Check check = Check::configuration;
  Outcome outcome = Outcome::passed;
  std::string text;  // one sentence without a full stop
  std::string hint = {};  // of a failed check: what to do
  ErrorCode code = ErrorCode::usage;  // of a failed check
};

[[nodiscard]] inline Finding passed(Check check, std::string text) {
  return {check, Outcome::passed, std::move(text)};
}
[[nodiscard]] inline Finding not_tried(Check check, std::string text) {
  return {check, Outcome::not_tried, std::move(text)};
}
[[nodiscard]] inline Finding failed(Check check, ErrorCode code, std::string text, std::string hint) {
  return {check, Outcome::failed, std::move(text), std::move(hint), code};
}
// "LOCATION: WHAT", with the error's hint.
[[nodiscard]] Finding failed(Check check, const Error& error);

[[nodiscard]] inline bool all_passed(std::span<const Finding> findings) {
  return std::ranges::none_of(findings, [](const Finding& f) { return f.outcome == Outcome::failed; });
}

}  // namespace hansa::client
