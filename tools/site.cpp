#include "tools/site.h"

#include "client/config/client_text.h"
#include "common/files.h"
#include "common/utc.h"
#include "protocols/transport/keys.h"
#include "tools/unfinished_folder.h"

namespace hansa::tools {

namespace fs = std::filesystem;

std::string local_address(const std::string& bind) {
  const std::string any = "tcp://0.0.0.0:";
  return bind.starts_with(any) ? "tcp://127.0.0.1:" + bind.substr(any.size()) : bind;
}

fs::path site_folder(const fs::path& federation, const std::string& name) {
  return federation / "sites" / name;
}

fs::path site_key(const fs::path& site) { return site / "client.key"; }

std::string client_toml(const SiteTerms& terms, const std::string& name, const std::string& root) {
  client::ClientText text;
  text.name = name;
  text.federation = terms.federation;
  text.addresses = terms.addresses;
  text.aggregator = terms.aggregator;
  text.root = root;
  text.secure = terms.summing == Summing::secure;
  text.honest_min = terms.honest_min;
  text.threat_model = terms.threat_model;
  text.data = terms.data;
  return client::text_of(text);
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
