// The texts of the files that `hansa new` writes.
#pragma once
#include <string>

#include "tools/scaffold.h"
#include "tools/site.h"

namespace hansa::tools {

[[nodiscard]] std::string federation_toml(const ScaffoldPlan& plan, const std::string& root);
[[nodiscard]] SiteTerms site_terms(const ScaffoldPlan& plan, const transport::PublicKey& aggregator);
[[nodiscard]] std::string readme(const ScaffoldPlan& plan);
// The federation's name: the folder's name, or "federation" if that is not a valid name.
[[nodiscard]] std::string federation_name(const ScaffoldPlan& plan);

}  // namespace hansa::tools
