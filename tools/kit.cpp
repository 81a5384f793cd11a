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

std::string readme(const SiteFiles& files) {
  return fmt::format(
      "The folder of the client \"{0}\". It contains the device's secret key: keep it private.\n\n"
      "1. Install hansa-client, and unpack this archive on the device: tar -xzf {0}.tar.gz\n"
      "2. {1}\n"
      "3. Try it: hansa-client check {0}/client.toml\n"
      "4. Start it: hansa-client {0}/client.toml\n",
      files.name,
      files.data == DataTable::complete
          ? fmt::format("Put the device's data where [data] in {}/client.toml expects it.", files.name)
          : fmt::format("Set [data] in {}/client.toml to the device's files.", files.name));
}

// The archive contains a secret, so that it is made where nobody else can read it.
Result<void> write_archive(const fs::path& out, const SiteFiles& files) {
  HANSA_TRY(const auto folder, PrivateFolder::create_beside(out));
  const fs::path text = folder.path() / "README.txt", archive = folder.path() / "kit.tar.gz";
  HANSA_TRY_VOID(write_file_atomically(text, readme(files)));
  HANSA_TRY(TarFile tar, TarFile::create(archive, FileAccess::owner_only));
  HANSA_TRY_VOID(tar.add(text, files.name + "/README.txt"));
  HANSA_TRY_VOID(tar.add(files.site / "client.toml", files.name + "/client.toml"));
  HANSA_TRY_VOID(tar.add(site_key(files.site), files.name + "/client.key"));
  HANSA_TRY_VOID(tar.add(files.certificate, files.name + "/client.pub"));
  HANSA_TRY_VOID(tar.finish());
  std::error_code error;
  fs::rename(archive, out, error);
  if (error) return fail(ErrorCode::storage, out.string(), "cannot be created (" + error.message() + ")");
  return {};
}

using Write = Result<void>(const fs::path& out, const SiteFiles& files);

Result<Kit> make(const AddPlan& plan, const fs::path& out, Write* write) {
  HANSA_TRY(const auto config, read_federation_folder(plan.folder));
  std::error_code error;
  if (fs::exists(out, error))
    return fail(ErrorCode::usage, out.string(), "exists already", "name another file: --out FILE");
  const SiteFiles files{plan.name, site_folder(plan.folder, plan.name),
                        config.admitted / (plan.name + ".pub"),
                        plan.data.empty() ? DataTable::to_fill_in : DataTable::complete};
  if (files.data == DataTable::complete && fs::exists(site_key(files.site), error))
    return fail(ErrorCode::usage, files.site.string(), "exists: the client has its [data] already",
                "edit client.toml there, and make the kit without other data");
  Kit kit{out, {}};
  if (!fs::exists(files.certificate, error)) {
    HANSA_TRY(const Added added, add_client(plan));
    kit.notes = added.notes;
  } else if (!fs::exists(site_key(files.site), error)) {
    return fail(ErrorCode::usage, files.site.string(), "is not here: the client has made its key itself",
                "choose another name");
  }
  HANSA_TRY_VOID(write(out, files));
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
