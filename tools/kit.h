// A complete folder for a site that has no network access to the operator, in one file to carry there: `hansa kit`.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"
#include "tools/membership.h"

namespace hansa::tools {

struct Kit {
  std::filesystem::path file;
  std::vector<std::string> notes;  // what remains to do
};

// Adds the client, unless it is admitted, and writes NAME.tar.gz with client.toml, the secret key, the certificate and a
// text for the person at the site. `out`: the file; empty: NAME.tar.gz in the current folder. It must not exist. Only its
// owner may read it. Fails (usage) if the client is admitted and its folder sites/NAME is not here.
[[nodiscard]] Result<Kit> make_kit(const AddPlan& plan, std::filesystem::path out);

}  // namespace hansa::tools
