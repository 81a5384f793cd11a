// The text of a new client.toml, with comments: for `hansa new`, `hansa client add` and `hansa-client join`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/secure_aggregation/setup.h"
#include "protocols/transport/keys.h"

namespace hansa::client {

struct ClientText {
  std::string name;
  std::string federation;
  std::vector<std::string> addresses;  // of the aggregator; at least one
  std::string proxy;  // empty: none
  std::string enrolment = {};  // where the aggregator enrols devices; empty: not known
  transport::PublicKey aggregator;
  std::string root;  // the identity of the operator's root key, 64 hex digits
  bool secure = true;  // updates leave the device in secure sums only
  std::optional<std::uint32_t> honest_min = {};
  secure_aggregation::ThreatModel threat_model = secure_aggregation::ThreatModel::honest_but_curious;
  std::string key = "client.key";  // paths, relative to the file's folder or absolute
  std::string state = "state";
  std::string data;  // lines of [data]; empty: an example to fill in
};
[[nodiscard]] std::string text_of(const ClientText& client);

}  // namespace hansa::client
