// A Debian package with the files of one device, for `hansa kit --deb`. dpkg-deb builds it.
#pragma once
#include <filesystem>
#include <string>

#include "common/error.h"

namespace hansa::tools {

// The path of dpkg-deb. Fails (usage) if it is not installed.
[[nodiscard]] Result<std::filesystem::path> find_dpkg_deb();

// Writes the package NAME for the files of `site` (tools/site.h) and the certificate. Only its owner reads the file. Fails
// (usage) if client.toml does not name the key and the state as `hansa new` writes them.
[[nodiscard]] Result<void> write_site_package(const std::filesystem::path& out,
                                              const std::filesystem::path& site,
                                              const std::filesystem::path& certificate,
                                              const std::string& name);

// "hansa-site-ward-3": what a package may be called.
[[nodiscard]] std::string site_package_name(const std::string& client);
// client.toml with the key and the state below /var/lib/hansa-client. Fails as write_site_package() does.
[[nodiscard]] Result<std::string> with_service_paths(const std::string& client_toml);

}  // namespace hansa::tools
