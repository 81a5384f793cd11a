#include "tools/scaffold.h"

#include <system_error>
#include <unistd.h>

#include "common/files.h"
#include "common/utc.h"
#include "learning/data/idx_file.h"
#include "learning/model_archive.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/keys.h"
#include "tools/model_signing.h"
#include "tools/partition.h"
#include "tools/scaffold_text.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;

// Removes the incomplete folder unless it was moved to its destination.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

  Result<void> move_to(const fs::path& target) {
    std::error_code error;
    fs::rename(path_, target, error);  // also replaces an empty folder
    if (error)
      return fail(ErrorCode::storage, target.string(), "cannot be created (" + error.message() + ")");
    path_.clear();
    return {};
  }

 private:
  fs::path path_;
};

struct KeyFiles {
  fs::path secret_key;
  fs::path public_key;
};
// Creates the keys of one party, and certifies them if a root key is given.
Result<enrolment::DeviceFile> make_keys(const KeyFiles& files, const std::string& federation = {},
                                        const secure_aggregation::SigningKey* root = nullptr) {
  HANSA_TRY(const transport::SecretKey secret, transport::generate_secret_key());
  HANSA_TRY(enrolment::DeviceFile device, enrolment::describe(secret));
  HANSA_TRY_VOID(transport::write_secret_key(secret, files.secret_key));
  HANSA_TRY_VOID(enrolment::write_device_file(device, files.public_key));
  if (root != nullptr)
    HANSA_TRY_VOID(
        enrolment::certify_file(files.public_key, federation, *root, {.issued = utc_seconds_now()}));
  return device;
}

Result<void> write_clients(const ScaffoldPlan& plan, const fs::path& root,
                           const transport::PublicKey& aggregator,
                           const secure_aggregation::SigningKey& root_key) {
  for (std::uint32_t c = 0; c < plan.clients; ++c) {
    const std::string name = client_name(c, plan.clients);
    HANSA_TRY_VOID(
        make_keys({root / "keys" / "clients" / (name + ".key"), root / "admitted" / (name + ".pub")},
                  federation_name(plan), &root_key));
    HANSA_TRY_VOID(write_file_atomically(
        root / "clients" / (name + ".toml"),
        client_toml(plan, {name, aggregator.text(), enrolment::text_of(root_key.public_key())})));
  }
  return {};
}

Result<void> write_example_shards(const ScaffoldPlan& plan, const fs::path& root) {
  const learning::IdxPairFiles files{plan.dataset / "train-images-idx3-ubyte.gz",
                                     plan.dataset / "train-labels-idx1-ubyte.gz"};
  HANSA_TRY(const learning::IdxPair data, learning::read_idx_pair(files));
  PartitionPlan split;
  split.kind = PartitionKind::dirichlet;
  split.clients = plan.clients;
  split.alpha = plan.alpha;
  split.seed = plan.seed;
  HANSA_TRY(const Shards shards, partition(data.labels.values, split));
  return write_shards(data, shards, root / "shards");
}

}  // namespace

Result<void> scaffold(const ScaffoldPlan& plan) {
  constexpr std::uint32_t clients_max = 10'000;
  if (plan.clients == 0 || plan.clients > clients_max)
    return fail(ErrorCode::usage, "--clients", "must be 1 to 10,000");
  if (plan.clients_min > plan.clients)
    return fail(ErrorCode::usage, "--clients-min",
                "is " + std::to_string(plan.clients_min) + ", but there are only " +
                    std::to_string(plan.clients) + " clients");
  if (plan.rounds == 0 || plan.rounds > 1'000'000)
    return fail(ErrorCode::usage, "--rounds", "must be 1 to 1,000,000");
  std::error_code error;
  const fs::path folder = fs::absolute(plan.folder, error).lexically_normal();
  const fs::path target = folder.has_filename() ? folder : folder.parent_path();
  if (fs::exists(target, error) && !(fs::is_directory(target, error) && fs::is_empty(target, error)))
    return fail(ErrorCode::usage, plan.folder.string(), "exists already and is not empty",
                "choose another folder, or remove it");

  TemporaryFolder temporary(target.string() + ".tmp" + std::to_string(::getpid()));
  const fs::path& root = temporary.path();
  for (const char* part : {"keys/clients", "admitted", "clients"}) HANSA_TRY_VOID(make_folders(root / part));
  // Secret keys are files of mode 0600; the mode of the folder hides their names as well.
  fs::permissions(root / "keys", fs::perms::owner_all, error);
  if (error) return fail(ErrorCode::storage, (root / "keys").string(), "cannot be made private");

  if (plan.example == Example::fashion_mnist) HANSA_TRY_VOID(write_example_shards(plan, root));
  HANSA_TRY_VOID(learning::create_built_in("cnn-small", plan.seed, root / "model.pt"));
  HANSA_TRY(const enrolment::DeviceFile aggregator,
            make_keys({root / "keys" / "aggregator.key", root / "keys" / "aggregator.pub"}));
  const KeyFiles root_files{root / "keys" / "root.key", root / "keys" / "root.pub"};
  HANSA_TRY_VOID(make_keys(root_files));
  HANSA_TRY(const transport::SecretKey root_secret, transport::read_secret_key(root_files.secret_key));
  HANSA_TRY(const secure_aggregation::SigningKey root_key, enrolment::identity_of(root_secret));
  HANSA_TRY_VOID(sign_archive({root / "model.pt", federation_name(plan), "cnn-small", "1", {}}, root_key));
  HANSA_TRY_VOID(write_clients(plan, root, aggregator.key, root_key));
  HANSA_TRY_VOID(write_file_atomically(root / "federation.toml",
                                       federation_toml(plan, enrolment::text_of(root_key.public_key()))));
  HANSA_TRY_VOID(write_file_atomically(root / "README.md", readme(plan)));
  HANSA_TRY_VOID(write_file_atomically(root / ".gitignore", "keys/\nruns/\nstate/\nshards/\n"));
  return temporary.move_to(target);
}

}  // namespace hansa::tools
