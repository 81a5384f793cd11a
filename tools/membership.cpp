#include "tools/membership.h"

#include <algorithm>

#include <fmt/core.h>

#include "client/config/client_config.h"
#include "common/config/name_check.h"
#include "common/files.h"
#include "common/spelling.h"
#include "protocols/transport/keys.h"
#include "server/config/federation_config.h"
#include "server/enrolment/admitted_folder.h"
#include "tools/federation_folder.h"
#include "tools/site.h"
#include "tools/unfinished_folder.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> admitted_names(const fs::path& admitted) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator entry(admitted, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".pub") out.push_back(entry->path().stem().string());
  std::ranges::sort(out);
  return out;
}

Result<transport::PublicKey> aggregator_key(const server::FederationConfig& config) {
  fs::path public_file = config.key;
  public_file.replace_extension(".pub");
  std::error_code error;
  if (fs::exists(public_file, error)) return transport::read_public_key(public_file);
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(config.key));
  return secret.public_key();
}

std::vector<std::string> addresses_of_others(const fs::path& folder) {
  std::vector<fs::path> sites;
  std::error_code error;
  for (fs::directory_iterator entry(folder / "sites", error), end; !error && entry != end;
       entry.increment(error))
    sites.push_back(entry->path());
  std::ranges::sort(sites);
  for (const fs::path& site : sites)
    if (const auto client = client::read_client_config(site / "client.toml")) return client->addresses;
  return {};
}

Result<SiteTerms> terms_of(const server::FederationConfig& config, const AddPlan& plan) {
  SiteTerms terms;
  terms.federation = config.name;
  HANSA_TRY(terms.aggregator, aggregator_key(config));
  terms.addresses = plan.addresses.empty() ? addresses_of_others(plan.folder) : plan.addresses;
  if (terms.addresses.empty()) terms.addresses = {local_address(config.bind)};
  terms.data = plan.data;
  terms.summing = config.secure_aggregation ? Summing::secure : Summing::plain;
  if (const auto& secure = config.secure_aggregation) {
    terms.honest_min = secure->honest_min;
    terms.threat_model = secure->assumptions.threat_model;
    terms.epoch = secure->epoch;
  }
  return terms;
}

// The folder decides who is admitted; the register of devices and its audit log follow it.
void record_change(const server::FederationConfig& config, std::vector<std::string>& notes) {
  const auto done = open_register(config, server::acting_operator(utc_seconds_now()));
  if (!done) notes.push_back("the register of devices was not changed: " + done.error().text());
}

// The lines of [data] are somebody's: the client would refuse its configuration at the site.
Result<void> check_client_toml(const fs::path& site, const SiteTerms& terms, const std::string& name,
                               const secure_aggregation::SigningKey& root) {
  const UnfinishedFolder folder(site);
  HANSA_TRY_VOID(make_folders(folder.path()));
  const fs::path file = folder.path() / "client.toml";
  HANSA_TRY_VOID(
      write_file_atomically(file, client_toml(terms, name, enrolment::text_of(root.public_key()))));
  if (const auto valid = client::read_client_config(file); !valid)
    return fail(ErrorCode::usage, "client.toml", "would be invalid: " + valid.error().what,
                valid.error().hint);
  return {};
}

// A device that was revoked may come back with a new key only.
Result<void> check_not_revoked(const server::FederationConfig& config, const fs::path& site) {
  HANSA_TRY(const transport::SecretKey secret, transport::read_secret_key(site_key(site)));
  HANSA_TRY(const transport::PublicKey key, secret.public_key());
  HANSA_TRY(const auto revoked, server::read_revoked_keys(config.admitted));
  if (!revoked.contains(key)) return {};
  return fail(ErrorCode::usage, site.string(), "holds a key that was revoked",
              "remove the folder, so that the client gets a new key");
}

}  // namespace

Result<Added> add_client(const AddPlan& plan) {
  HANSA_TRY_VOID(config::check_name(plan.name, "NAME \"" + plan.name + "\""));
  HANSA_TRY(const auto config, read_federation_folder(plan.folder));
  std::error_code error;
  const fs::path admitted = config.admitted / (plan.name + ".pub");
  if (fs::exists(admitted, error))
    return fail(ErrorCode::usage, admitted.string(), "exists: the client is admitted already",
                "choose another name, or remove it first: hansa client remove " + plan.name);
  HANSA_TRY(const auto root, read_operator_key(config, plan.folder, plan.root));
  HANSA_TRY(const SiteTerms terms, terms_of(config, plan));

  Added out;
  out.site = site_folder(plan.folder, plan.name).lexically_normal();
  out.address = terms.addresses.front();
  if (fs::exists(site_key(out.site), error)) {
    out.membership = Membership::returned;
    HANSA_TRY_VOID(check_not_revoked(config, out.site));
  } else if (fs::exists(out.site, error)) {
    return fail(ErrorCode::usage, out.site.string(), "exists and holds no client.key",
                "remove the folder, or choose another name");
  } else {
    if (!terms.data.empty()) HANSA_TRY_VOID(check_client_toml(out.site, terms, plan.name, root));
    HANSA_TRY_VOID(make_site(out.site, terms, plan.name, root));
  }
  HANSA_TRY(const auto validity, admit_site(out.site, config.admitted, terms, plan.name, root));
  out.expires = validity.expires;
  record_change(config, out.notes);
  const std::size_t count = admitted_names(config.admitted).size();
  if (config.cohort.clients_expected != 0 && config.cohort.clients_expected < count)
    out.notes.push_back(
        fmt::format("{} clients are admitted now, and federation.toml has [cohort] clients_expected = {}: "
                    "the first round of a run "
                    "does not wait for the others; a change takes effect at the aggregator's next start",
                    count, config.cohort.clients_expected));
  return out;
}

Result<Removed> remove_client(const fs::path& folder, const std::string& name) {
  HANSA_TRY_VOID(config::check_name(name, "NAME \"" + name + "\""));
  HANSA_TRY(const auto config, read_federation_folder(folder));
  const fs::path file = config.admitted / (name + ".pub");
  std::error_code error;
  if (!fs::remove(file, error)) {
    if (error) return fail(ErrorCode::storage, file.string(), "cannot be removed (" + error.message() + ")");
    const auto near = nearest_word(name, admitted_names(config.admitted));
    return fail(ErrorCode::usage, file.string(), "does not exist: no such client is admitted",
                near ? "did you mean \"" + *near + "\"?"
                     : "the folder " + config.admitted.string() + " lists the clients");
  }
  // A key to which the client changes would be admitted again with its file.
  HANSA_TRY_VOID(server::remove_next_key(config.admitted, name));
  Removed out;
  record_change(config, out.notes);
  out.remaining = admitted_names(config.admitted).size();
  const fs::path site = site_folder(folder, name).lexically_normal();
  if (fs::exists(site, error)) out.site = site;
  if (out.remaining < config.cohort.clients_min)
    out.notes.push_back(
        fmt::format("{} clients are left, and federation.toml has [cohort] clients_min = {}: no round can "
                    "start; add a client, or "
                    "lower clients_min and restart the aggregator",
                    out.remaining, config.cohort.clients_min));
  const bool simulated = std::ranges::any_of(config.simulated_clients, [&](const fs::path& client) {
    return fs::equivalent(client.parent_path(), site, error);
  });
  if (simulated)
    out.notes.push_back("\"hansa simulate\" still has this client: [simulation] clients matches its file");
  return out;
}

}  // namespace hansa::tools
