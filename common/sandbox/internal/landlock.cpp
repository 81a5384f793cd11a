#include "common/sandbox/internal/landlock.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/descriptor.h"

namespace hansa::sandbox::internal {
namespace {

// The numbers are equal on every processor.
constexpr long create_ruleset = 444;
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
constexpr int path_beneath = 1;
constexpr std::size_t entries_max = 100'000;  // of a folder with a secret, or with a folder of one
constexpr unsigned ask_version = 1;

// struct landlock_ruleset_attr of version 6. An older kernel accepts it if the fields that it does not know are zero.
struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

Ruleset all_rights(long version) {
  // File rights that the versions 1 to 5 of the interface know, as a number of bits from 0 on.
  constexpr std::array<unsigned, 5> file_rights{13, 14, 15, 15, 16};
  Ruleset out;
  const auto index = static_cast<std::size_t>(version > 5 ? 5 : version) - 1;
  out.files = (std::uint64_t{1} << file_rights[index]) - 1;
  if (version >= 4) out.network = 3;  // bind and connect
  if (version >= 6) out.scoped = 3;  // abstract sockets and signals
  return out;
}

namespace fs = std::filesystem;

constexpr std::uint64_t execute = 1, write_file = 1 << 1, read_file = 1 << 2, read_dir = 1 << 3,
                        truncate = 1 << 14;

struct [[gnu::packed]] PathRule {
  std::uint64_t allowed = 0;
  std::int32_t parent = -1;
};

// Rules for everything that may be read.
class ReadingRules {
 public:
  ReadingRules(int ruleset, std::uint64_t handled, const std::vector<fs::path>& secret)
      : ruleset_(ruleset), handled_(handled) {
    for (const fs::path& path : secret) {
      std::error_code error;
      const fs::path found = fs::canonical(path, error);
      if (error) continue;
      secret_.insert(found);
      for (fs::path at = found; at != at.parent_path();) above_.insert(at = at.parent_path());
    }
  }

  // Adds the folder unless it has a secret.
  void add_folder(const fs::path& folder) {
    std::error_code error;
    const fs::path found = fs::canonical(folder, error);
    if (!error && !above_.contains(found) && !secret_.contains(found)) allow(found, read_file | read_dir);
  }

  Result<void> add() {
    allow("/", above_.empty() ? read_file | read_dir : read_dir);  // without read_file: names alone
    return above_.empty() ? Result<void>() : add_below("/");
  }

  // What exists is opened without following it: what a link names has its own rule. Without a rule, as for a file that is
  // gone already, nothing can be read.
  void allow(const fs::path& path, std::uint64_t rights) {
    const Descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || S_ISLNK(status.st_mode)) return;
    if (!S_ISDIR(status.st_mode)) rights &= read_file | write_file | truncate;
    const PathRule rule{rights & handled_, file.get()};
    (void)::syscall(add_rule, ruleset_, path_beneath, &rule, 0U);
  }

 private:
  Result<void> add_below(const fs::path& folder) {
    std::error_code error;
    std::size_t entries = 0;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      const fs::path& path = at->path();
      if (++entries > entries_max)
        return fail(
            ErrorCode::usage, folder.string(),
            "has more than " + std::to_string(entries_max) + " entries next to the client's key or state",
            "give the client's key and state a folder of their own");
      if (secret_.contains(path)) continue;
      if (above_.contains(path)) HANSA_TRY_VOID(add_below(path));
      else allow(path, read_file | read_dir);
    }
    if (!error) return {};
    for (const fs::path& path : above_)  // a folder that this user may not list
      if (path != folder && path.parent_path() == folder) HANSA_TRY_VOID(add_below(path));
    return {};
  }

  int ruleset_;
  std::uint64_t handled_;
  std::set<fs::path> secret_;
  std::set<fs::path> above_;  // the folders that contain them
};

Result<void> add_rules(int ruleset, std::uint64_t handled, const ReadingConfig& config) {
  ReadingRules rules(ruleset, handled, config.secret);
  HANSA_TRY_VOID(rules.add());
  for (const fs::path& folder : config.readable) rules.add_folder(folder);
  for (const fs::path& folder : config.writable) {
    std::error_code error;
    const fs::path found = fs::canonical(folder, error);
    if (!error) rules.allow(found, handled & ~(execute | read_file));
  }
  // lock_process() needs them.
  for (const char* file : {"/dev/null", "/proc/self/oom_score_adj"})
    rules.allow(file, read_file | write_file);
  return {};
}

}  // namespace

Result<Landlock> allow_reading(const ReadingConfig& config) {
  const long version = ::syscall(create_ruleset, nullptr, std::size_t{0}, ask_version);
  if (version < 1) return Landlock::absent;
  const Ruleset rules = all_rights(version);
  const Descriptor ruleset(static_cast<int>(::syscall(create_ruleset, &rules, sizeof rules, 0U)));
  if (!ruleset) return Landlock::absent;
  HANSA_TRY_VOID(add_rules(ruleset.get(), rules.files, config));
  return ::syscall(restrict_self, ruleset.get(), 0U) == 0 ? Landlock::held : Landlock::absent;
}

Landlock deny_everything() {
  const long version = ::syscall(create_ruleset, nullptr, std::size_t{0}, ask_version);
  if (version < 1) return Landlock::absent;
  const Ruleset rules = all_rights(version);
  const Descriptor ruleset(static_cast<int>(::syscall(create_ruleset, &rules, sizeof rules, 0U)));
  if (!ruleset || ::syscall(restrict_self, ruleset.get(), 0U) != 0) return Landlock::absent;
  return Landlock::held;
}

}  // namespace hansa::sandbox::internal
