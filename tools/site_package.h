// A Debian package with the files of one device, for `hansa kit --deb`. dpkg-deb builds it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "common/error.h"

namespace hansa::tools {

// The path of dpkg-deb. Fails (usage) if it is not installed.
[[nodiscard]] Result<std::filesystem::path> find_dpkg_deb();

// Whether the person at the site has to write the table [data].
enum class DataTable : std::uint8_t { to_fill_in, complete };

// What a kit consists of.
struct SiteFiles {
  std::string name;  // of the client
  std::filesystem::path site;  // tools/site.h
  std::filesystem::path certificate;
  DataTable data = DataTable::to_fill_in;
};

// Writes the package of a site. When it is installed, it starts the service if the table [data] is complete. Only its owner
// reads the file. Fails (usage) if client.toml does not name the key and the state as `hansa new` writes them.
[[nodiscard]] Result<void> write_site_package(const std::filesystem::path& out, const SiteFiles& files);

// "hansa-site-ward-3": what a package may be called.
[[nodiscard]] std::string site_package_name(const std::string& client);
// client.toml with the key and the state below /var/lib/hansa-client. Fails as write_site_package() does.
[[nodiscard]] Result<std::string> with_service_paths(const std::string& client_toml);

}  // namespace hansa::tools
