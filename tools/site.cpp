#include "tools/site.h"

#include <fmt/core.h>

#include "common/files.h"
#include "common/utc.h"
#include "protocols/transport/keys.h"
#include "tools/unfinished_folder.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

std::string addresses_text(const std::vector<std::string>& addresses) {
  std::string out;
  for (const std::string& address : addresses) out += (out.empty() ? "\"" : ", \"") + address + "\"";
  return addresses.size() == 1 ? out : "[" + out + "]";
}

std::string data_text(SiteData data) {
  if (data == SiteData::shard) return "images = \"data/images.idx\"\nlabels = \"data/labels.idx\"\n";
  return "images = \"data/images.idx\"   # fill in: idx3, plain or .gz; or another kind: docs/data.md\n"
         "labels = \"data/labels.idx\"   # fill in: idx1\n";
}

std::string root_text(const SiteTerms& terms, const std::string& root) {
  if (terms.summing == Summing::plain)
    return fmt::format(
        "# The device trains only models that this root key has signed: hansa model sign.\n"
        "[model]\nroot = \"{0}\"\n\n"
        "# Updates leave this device only in secure aggregation with clients that this root key certified.\n"
        "# [secure_aggregation]\n# root = \"{0}\"\n",
        root);
  std::string out = fmt::format(
      "# Updates leave this device only in secure aggregation with clients that this root key certified. The "
      "device trains\n"
      "# only models that this root key has signed.\n"
      "[secure_aggregation]\nroot = \"{}\"\n",
      root);
  if (terms.threat_model == secure_aggregation::ThreatModel::active) out += "threat_model = \"active\"\n";
  if (terms.honest_min == 2)
    out +=
        "# The smallest sum is that of three clients. If one of them colludes with the aggregator, it "
        "subtracts "
        "its own\n"
        "# update, and the sum of two is left. Without this line the client takes part only in larger "
        "sums.\n";
  if (terms.honest_min) out += fmt::format("honest_min = {}\n", *terms.honest_min);
  return out;
}

}  // namespace

fs::path site_folder(const fs::path& federation, const std::string& name) {
  return federation / "sites" / name;
}

fs::path site_key(const fs::path& site) { return site / "client.key"; }

std::string client_toml(const SiteTerms& terms, const std::string& name, const std::string& root) {
  return fmt::format(
      "# The configuration of hansa-client on one device. All keys: docs/configuration.md.\n"
      "# Paths are relative to this file's folder, which may be moved to any place on the device.\n\n"
      "[client]\n"
      "name = \"{client}\"                   # the aggregator admits it by admitted/{client}.pub\n"
      "federation = \"{federation}\"\n"
      "key = \"client.key\"                  # secret: stays on this device\n"
      "state = \"state\"                     # what the client keeps; the client creates it\n"
      "# after_federation = \"stay\"           # wait for another run; by default the client ends\n\n"
      "[aggregator]\n"
      "address = {address}\n"
      "public_key = \"{key}\"   # the client connects to no other aggregator\n\n"
      "# The examples this device trains on. None of them is sent.\n"
      "[data]\n"
      "{data}\n"
      "{secure}\n"
      "# The resources that training may use.\n"
      "[resources]\n"
      "threads = 1\n"
      "# nice = 10\n"
      "# memory_mib_max = 512\n",
      fmt::arg("client", name), fmt::arg("federation", terms.federation),
      fmt::arg("address", addresses_text(terms.addresses)), fmt::arg("key", terms.aggregator.text()),
      fmt::arg("data", data_text(terms.data)), fmt::arg("secure", root_text(terms, root)));
}

Result<enrolment::DeviceFile> make_keys(const KeyFiles& files) {
  HANSA_TRY(const transport::SecretKey secret, transport::generate_secret_key());
  HANSA_TRY(enrolment::DeviceFile device, enrolment::describe(secret));
  HANSA_TRY_VOID(transport::write_secret_key(secret, files.secret_key));
  if (!files.public_key.empty()) HANSA_TRY_VOID(enrolment::write_device_file(device, files.public_key));
  return device;
}

Result<void> make_site(const fs::path& site, const SiteTerms& terms, const std::string& name,
                       const secure_aggregation::SigningKey& root) {
  HANSA_TRY_VOID(make_folders(site.parent_path()));
  UnfinishedFolder folder(site);
  HANSA_TRY_VOID(make_folders(folder.path()));
  // It will hold the device's state and perhaps its examples.
  std::error_code error;
  fs::permissions(folder.path(), fs::perms::owner_all, error);
  if (error)
    return fail(ErrorCode::storage, site.string(), "cannot be made private (" + error.message() + ")");
  HANSA_TRY_VOID(make_keys({site_key(folder.path()), {}}));
  HANSA_TRY_VOID(write_file_atomically(folder.path() / "client.toml",
                                       client_toml(terms, name, enrolment::text_of(root.public_key()))));
  return folder.finish();
}

Result<secure_aggregation::Validity> admit_site(const fs::path& site, const fs::path& admitted,
                                                const SiteTerms& terms, const std::string& name,
                                                const secure_aggregation::SigningKey& root) {
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(site_key(site)));
  HANSA_TRY(const enrolment::DeviceFile device, enrolment::describe(secret));
  // A certificate names the client by the name of the file, so the file is certified in a folder of its own.
  UnfinishedFolder folder(admitted / name);
  HANSA_TRY_VOID(make_folders(folder.path()));
  const fs::path file = folder.path() / (name + ".pub");
  HANSA_TRY_VOID(enrolment::write_device_file(device, file));
  HANSA_TRY(const auto validity,
            enrolment::certify_file(file, terms.federation, root,
                                    {.issued = utc_seconds_now(), .epoch = terms.epoch}));
  std::error_code error;
  fs::rename(file, admitted / (name + ".pub"), error);
  if (error)
    return fail(ErrorCode::storage, (admitted / (name + ".pub")).string(),
                "cannot be created (" + error.message() + ")");
  return validity;
}

}  // namespace hansa::tools
