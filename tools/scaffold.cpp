#include "tools/scaffold.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "common/config/name_check.h"
#include "common/files.h"
#include "learning/data/idx_file.h"
#include "learning/model_archive.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "tools/model_signing.h"
#include "tools/partition.h"
#include "tools/scaffold_text.h"
#include "tools/site.h"
#include "tools/unfinished_folder.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t clients_max = 10'000;

Result<void> check_count(std::uint64_t clients) {
  if (clients > 0 && clients <= clients_max) return {};
  return fail(ErrorCode::usage, "--clients", "must be 1 to 10,000 clients",
              "give a number, or names: --clients hospital-a,hospital-b,hospital-c");
}

Result<void> write_sites(const ScaffoldPlan& plan, const fs::path& root,
                         const transport::PublicKey& aggregator,
                         const secure_aggregation::SigningKey& root_key) {
  const SiteTerms terms = site_terms(plan, aggregator);
  for (const std::string& name : plan.clients) {
    const fs::path site = site_folder(root, name);
    HANSA_TRY_VOID(make_site(site, terms, name, root_key));
    HANSA_TRY_VOID(admit_site(site, root / "admitted", terms, name, root_key));
  }
  return {};
}

Result<void> write_example_shards(const ScaffoldPlan& plan, const fs::path& root) {
  const learning::IdxPairFiles files{plan.dataset / "train-images-idx3-ubyte.gz",
                                     plan.dataset / "train-labels-idx1-ubyte.gz"};
  HANSA_TRY(const learning::IdxPair data, learning::read_idx_pair(files));
  PartitionPlan split;
  split.kind = PartitionKind::dirichlet;
  split.clients = static_cast<std::uint32_t>(plan.clients.size());
  split.alpha = plan.alpha;
  split.seed = plan.seed;
  HANSA_TRY(const Shards shards, partition(data.labels.values, split));
  for (std::size_t c = 0; c < shards.size(); ++c)
    HANSA_TRY_VOID(write_shard(data, shards[c], site_folder(root, plan.clients[c]) / "data"));
  return {};
}

}  // namespace

std::vector<std::string> numbered_clients(std::uint32_t count) {
  std::vector<std::string> out;
  for (std::uint32_t c = 0; c < count; ++c) out.push_back(client_name(c, count));
  return out;
}

Result<std::vector<std::string>> parse_clients(const std::string& text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!text.empty() && std::ranges::all_of(text, is_digit)) {
    const std::uint64_t count = text.size() > 6 ? clients_max + 1 : std::stoull(text);
    HANSA_TRY_VOID(check_count(count));
    return numbered_clients(static_cast<std::uint32_t>(count));
  }
  std::vector<std::string> names;
  std::set<std::string> known;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
    HANSA_TRY_VOID(config::check_name(names.back(), "--clients: \"" + names.back() + "\""));
    if (!known.insert(names.back()).second)
      return fail(ErrorCode::usage, "--clients", "names \"" + names.back() + "\" twice");
  }
  HANSA_TRY_VOID(check_count(names.size()));
  return names;
}

Result<void> scaffold(const ScaffoldPlan& plan) {
  HANSA_TRY_VOID(check_count(plan.clients.size()));
  if (plan.clients_min > plan.clients.size())
    return fail(ErrorCode::usage, "--clients-min",
                "is " + std::to_string(plan.clients_min) + ", but there are only " +
                    std::to_string(plan.clients.size()) + " clients");
  if (plan.rounds == 0 || plan.rounds > 1'000'000)
    return fail(ErrorCode::usage, "--rounds", "must be 1 to 1,000,000");
  std::error_code error;
  const fs::path folder = fs::absolute(plan.folder, error).lexically_normal();
  const fs::path target = folder.has_filename() ? folder : folder.parent_path();
  if (fs::exists(target, error) && !(fs::is_directory(target, error) && fs::is_empty(target, error)))
    return fail(ErrorCode::usage, plan.folder.string(), "exists already and is not empty",
                "choose another folder, or remove it");

  UnfinishedFolder temporary(target);
  const fs::path& root = temporary.path();
  for (const char* part : {"keys", "admitted"}) HANSA_TRY_VOID(make_folders(root / part));
  // Secret keys are files of mode 0600; the mode of the folder hides their names as well.
  fs::permissions(root / "keys", fs::perms::owner_all, error);
  if (error) return fail(ErrorCode::storage, (root / "keys").string(), "cannot be made private");

  HANSA_TRY_VOID(learning::create_built_in("cnn-small", plan.seed, root / "model.pt"));
  HANSA_TRY(const auto draft,
            draft_manifest({root / "model.pt", federation_name(plan), "cnn-small", "1", std::nullopt, {}}));
  HANSA_TRY(const enrolment::DeviceFile aggregator,
            make_keys({root / "keys" / "aggregator.key", root / "keys" / "aggregator.pub"}));
  const KeyFiles root_files{root / "keys" / "root.key", root / "keys" / "root.pub"};
  HANSA_TRY_VOID(make_keys(root_files));
  HANSA_TRY(const transport::SecretKey root_secret, transport::read_secret_key(root_files.secret_key));
  HANSA_TRY(const secure_aggregation::SigningKey root_key, enrolment::identity_of(root_secret));
  HANSA_TRY_VOID(sign_archive(root / "model.pt", draft, root_key));
  HANSA_TRY_VOID(write_sites(plan, root, aggregator.key, root_key));
  if (plan.example == Example::fashion_mnist) HANSA_TRY_VOID(write_example_shards(plan, root));
  HANSA_TRY_VOID(write_file_atomically(root / "federation.toml",
                                       federation_toml(plan, enrolment::text_of(root_key.public_key()))));
  HANSA_TRY_VOID(write_file_atomically(root / "README.md", readme(plan)));
  HANSA_TRY_VOID(write_file_atomically(root / ".gitignore",
                                       "keys/\nruns/\nsites/*/client.key*\nsites/*/data/\nsites/*/state/\n"));
  return temporary.finish();
}

}  // namespace hansa::tools
