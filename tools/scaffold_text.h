// The texts of the files that `hansa new` writes.
#pragma once
#include <string>

#include "tools/scaffold.h"

namespace hansa::tools {

struct ClientText {
  std::string name;
  std::string aggregator_key;  // public, Z85
  std::string root;  // the operator's root key, hex
};

[[nodiscard]] std::string federation_toml(const ScaffoldPlan& plan, const std::string& root);
// Whether the federation uses secure aggregation. It does not if a round may have too few clients for it.
[[nodiscard]] bool sums_securely(const ScaffoldPlan& plan);
[[nodiscard]] std::string client_toml(const ScaffoldPlan& plan, const ClientText& client);
[[nodiscard]] std::string readme(const ScaffoldPlan& plan);
// The federation's name: the folder's name, or "federation" if that is not a valid name.
[[nodiscard]] std::string federation_name(const ScaffoldPlan& plan);

}  // namespace hansa::tools
