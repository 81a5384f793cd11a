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
// owner may read it. Fails (usage) if the client is admitted and its folder sites/NAME is not here, or if the plan has data
// and the folder is here: it is the operator's then.
[[nodiscard]] Result<Kit> make_kit(const AddPlan& plan, std::filesystem::path out);

// What make_deb_kit() makes: a Debian package for the site, which depends on hansa-client. It installs client.toml as
// /etc/hansa/client.toml, and the key and the certificate to /var/lib/hansa-client, which only the user hansa-client reads. A
// purge removes them.
//
// The same as make_kit(), but for the form; `out` may be empty: NAME.deb in the current folder. Fails (usage) in addition if
// dpkg-deb is not installed, or if client.toml names other files than those that `hansa new` writes.
[[nodiscard]] Result<Kit> make_deb_kit(const AddPlan& plan, std::filesystem::path out);

}  // namespace hansa::tools
