#include "tools/site_package.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/files.h"
#include "common/utc.h"
#include "tools/private_folder.h"
#include "tools/site.h"

namespace hansa::tools {
namespace {

namespace fs = std::filesystem;
using fs::perms;

constexpr std::size_t text_bytes_max = 1 << 20;
constexpr perms private_folder = perms::owner_all;
constexpr perms private_file = perms::owner_read | perms::owner_write;
constexpr perms public_folder =
    perms::owner_all | perms::group_read | perms::group_exec | perms::others_read | perms::others_exec;
constexpr perms public_file = private_file | perms::group_read | perms::others_read;

// The files are conffiles: a removal keeps them, and a purge removes them.
constexpr const char* conffiles =
    "/etc/hansa/client.toml\n/var/lib/hansa-client/client.key\n/var/lib/hansa-client/client.pub\n";

// The user exists: hansa-client is configured before. The last line and "fi" follow.
constexpr const char* postinst = R"sh(#!/bin/sh
set -e

if [ "$1" = configure ]; then
  for file in /var/lib/hansa-client /var/lib/hansa-client/client.key /var/lib/hansa-client/client.pub; do
    if [ -e "$file" ]; then chown -h hansa-client:hansa-client "$file"; fi
  done
  chmod 0700 /var/lib/hansa-client
)sh";

constexpr const char* fill_in =
    "  echo \"hansa: fill in [data] in /etc/hansa/client.toml, then: systemctl start hansa-client\"\n";
constexpr const char* start_service =
    "  if [ -d /run/systemd/system ]; then systemctl restart hansa-client.service || true; fi\n";

std::string control(const std::string& name) {
  return fmt::format(
      "Package: {}\nVersion: 1.{}\nArchitecture: all\nSection: misc\nPriority: optional\n"
      "Maintainer: the operator of the federation <root@localhost>\n"
      "Depends: hansa-client\nProvides: hansa-site\nConflicts: hansa-site\n"
      "Description: configuration and key of the device \"{}\" for hansa-client\n"
      " Contains the device's secret key: keep this package as you would keep a password.\n",
      site_package_name(name), utc_seconds_now().value, name);
}

Result<void> set_permissions(const fs::path& path, perms permissions) {
  std::error_code error;
  fs::permissions(path, permissions, error);
  if (error)
    return fail(ErrorCode::storage, path.string(),
                "cannot have its permissions set (" + error.message() + ")");
  return {};
}

Result<void> write(const fs::path& file, std::string_view text, perms permissions) {
  HANSA_TRY_VOID(write_file_atomically(file, text, FileAccess::owner_only));
  return set_permissions(file, permissions);
}

Result<void> copy(const fs::path& from, const fs::path& to, perms permissions) {
  HANSA_TRY(std::string text, read_text_file(from, text_bytes_max));
  auto written = write(to, text, permissions);
  ::explicit_bzero(text.data(), text.size());  // it may be the key
  return written;
}

// Runs dpkg-deb, whose messages go to standard error.
Result<void> build(const fs::path& program, const fs::path& tree, const fs::path& out) {
  const std::vector<std::string> words{program.string(), "--root-owner-group", "-Zgzip",
                                       "--build",        tree.string(),        out.string()};
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  pid_t process = 0;
  const int error = ::posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return fail(ErrorCode::storage, program.string(),
                "cannot be run (" + std::string(std::strerror(error)) + ")");
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(ErrorCode::storage, out.string(), "was not built: dpkg-deb has failed",
                "see its message above");
  return {};
}

}  // namespace

Result<fs::path> find_dpkg_deb() {
  const char* path = std::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path file = fs::path(rest.substr(0, end)) / "dpkg-deb";
    if (end > 0 && ::access(file.c_str(), X_OK) == 0) return file;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return fail(ErrorCode::usage, "--deb", "needs dpkg-deb, which is not installed here",
              "make the kit on a Debian machine, or without --deb: a .tar.gz");
}

std::string site_package_name(const std::string& client) {
  std::string out = "hansa-site-";
  for (const char c : client)
    out += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

Result<std::string> with_service_paths(const std::string& client_toml) {
  std::string out = client_toml;
  for (const auto& [from, to] :
       {std::pair("key = \"client.key\"", "key = \"/var/lib/hansa-client/client.key\""),
        std::pair("state = \"state\"", "state = \"/var/lib/hansa-client/state\"")}) {
    const std::string line = std::string("\n") + from;
    const std::size_t at = out.find(line);
    if (at == std::string::npos)
      return fail(ErrorCode::usage, "client.toml", std::string("has no line ") + from,
                  "make the kit without --deb, or write the line again: the package has its own paths");
    out.replace(at + 1, std::string_view(from).size(), to);
  }
  return out;
}

Result<void> write_site_package(const fs::path& out, const SiteFiles& files) {
  HANSA_TRY(const fs::path program, find_dpkg_deb());
  HANSA_TRY(const std::string text, read_text_file(files.site / "client.toml", text_bytes_max));
  HANSA_TRY(const std::string settings, with_service_paths(text));
  // The tree has a secret, so that nobody else may look into it.
  HANSA_TRY(const PrivateFolder folder, PrivateFolder::create_beside(out));
  const fs::path tree = folder.path() / "tree", built = folder.path() / "kit.deb";
  const fs::path etc = tree / "etc" / "hansa", data = tree / "var" / "lib" / "hansa-client";
  for (const fs::path& made : {tree / "DEBIAN", etc, data}) HANSA_TRY_VOID(make_folders(made));
  for (const fs::path& made : {tree, tree / "DEBIAN", tree / "etc", etc, tree / "var", tree / "var" / "lib"})
    HANSA_TRY_VOID(set_permissions(made, public_folder));
  HANSA_TRY_VOID(set_permissions(data, private_folder));
  HANSA_TRY_VOID(write(tree / "DEBIAN" / "control", control(files.name), public_file));
  HANSA_TRY_VOID(write(tree / "DEBIAN" / "conffiles", conffiles, public_file));
  const char* last = files.data == DataTable::complete ? start_service : fill_in;
  HANSA_TRY_VOID(write(tree / "DEBIAN" / "postinst", std::string(postinst) + last + "fi\n", public_folder));
  HANSA_TRY_VOID(write(etc / "client.toml", settings, public_file));
  HANSA_TRY_VOID(copy(site_key(files.site), data / "client.key", private_file));
  HANSA_TRY_VOID(copy(files.certificate, data / "client.pub", public_file));
  HANSA_TRY_VOID(build(program, tree, built));
  HANSA_TRY_VOID(set_permissions(built, private_file));
  std::error_code error;
  fs::rename(built, out, error);
  if (error) return fail(ErrorCode::storage, out.string(), "cannot be created (" + error.message() + ")");
  return {};
}

}  // namespace hansa::tools
