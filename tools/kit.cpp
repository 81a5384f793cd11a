#include "tools/kit.h"

#include <fmt/format.h>

#include "common/files.h"
#include "common/utc.h"
#include "tools/federation_folder.h"
#include "tools/private_folder.h"
#include "tools/site.h"
#include "tools/site_package.h"
#include "tools/tar_file.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

std::string readme(const std::string& name) {
  return fmt::format(
      "The folder of the client \"{0}\". It contains the device's secret key: keep it private.\n\n"
      "1. Install hansa-client, and unpack this archive on the device: tar -xzf {0}.tar.gz\n"
      "2. Set [data] in {0}/client.toml to the device's files.\n"
      "3. Try it: hansa-client check {0}/client.toml\n"
      "4. Start it: hansa-client {0}/client.toml\n",
      name);
}

// The archive contains a secret, so that it is made where nobody else can read it.
Result<void> write_archive(const fs::path& out, const fs::path& site, const fs::path& certificate,
                           const std::string& name) {
  HANSA_TRY(const auto folder, PrivateFolder::create_beside(out));
  const fs::path text = folder.path() / "README.txt", archive = folder.path() / "kit.tar.gz";
  HANSA_TRY_VOID(write_file_atomically(text, readme(name)));
  HANSA_TRY(TarFile tar, TarFile::create(archive, FileAccess::owner_only));
  HANSA_TRY_VOID(tar.add(text, name + "/README.txt"));
  HANSA_TRY_VOID(tar.add(site / "client.toml", name + "/client.toml"));
  HANSA_TRY_VOID(tar.add(site_key(site), name + "/client.key"));
  HANSA_TRY_VOID(tar.add(certificate, name + "/client.pub"));
  HANSA_TRY_VOID(tar.finish());
  std::error_code error;
  fs::rename(archive, out, error);
  if (error) return fail(ErrorCode::storage, out.string(), "cannot be created (" + error.message() + ")");
  return {};
}

using Write = Result<void>(const fs::path& out, const fs::path& site, const fs::path& certificate,
                           const std::string& name);

Result<Kit> make(const AddPlan& plan, const fs::path& out, Write* write) {
  HANSA_TRY(const auto config, read_federation_folder(plan.folder));
  std::error_code error;
  if (fs::exists(out, error))
    return fail(ErrorCode::usage, out.string(), "exists already", "name another file: --out FILE");
  const fs::path certificate = config.admitted / (plan.name + ".pub");
  const fs::path site = site_folder(plan.folder, plan.name);
  Kit kit{out, {}};
  if (!fs::exists(certificate, error)) {
    HANSA_TRY(const Added added, add_client(plan));
    kit.notes = added.notes;
  } else if (!fs::exists(site_key(site), error)) {
    return fail(ErrorCode::usage, site.string(), "is not here: the client has made its key itself",
                "choose another name");
  }
  HANSA_TRY_VOID(write(out, site, certificate, plan.name));
  const server::Acting acting = server::acting_operator(utc_seconds_now());
  HANSA_TRY(auto devices, open_register(config, acting));
  HANSA_TRY_VOID(devices.record("kit.made", plan.name, "", acting));
  return kit;
}

}  // namespace

Result<Kit> make_kit(const AddPlan& plan, fs::path out) {
  if (out.empty()) out = plan.name + ".tar.gz";
  return make(plan, out, write_archive);
}

Result<Kit> make_deb_kit(const AddPlan& plan, fs::path out) {
  HANSA_TRY_VOID(find_dpkg_deb());
  if (out.empty()) out = plan.name + ".deb";
  return make(plan, out, write_site_package);
}

}  // namespace hansa::tools
