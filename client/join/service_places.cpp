#include "client/join/service_places.h"

#include <array>
#include <cstdlib>
#include <utility>

#include <pwd.h>
#include <unistd.h>

namespace hansa::client {

std::optional<ServicePlaces> find_service(const PackageLayout& layout) {
  std::error_code error;
  if (::geteuid() != 0 || !std::filesystem::is_directory(layout.configuration, error)) return std::nullopt;
  std::array<char, 4'096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(layout.user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr)
    return std::nullopt;
  return ServicePlaces{layout.configuration / "client.toml", layout.data, {entry.pw_uid, entry.pw_gid}};
}

Result<ActingAs> ActingAs::begin(const std::optional<ServiceUser>& user) {
  ActingAs out;
  if (!user) return out;
  out.user_before_ = ::geteuid();
  out.group_before_ = ::getegid();
  // The group first: afterwards this process may not change it any more.
  if (::setegid(user->group) != 0)
    return fail(ErrorCode::storage, "hansa-client", "may not act as the service's user", "become root");
  out.has_changed_ = true;
  if (::seteuid(user->user) != 0)
    return fail(ErrorCode::storage, "hansa-client", "may not act as the service's user", "become root");
  return out;
}

ActingAs::ActingAs(ActingAs&& other) noexcept
    : has_changed_(std::exchange(other.has_changed_, false)),
      user_before_(other.user_before_),
      group_before_(other.group_before_) {}

ActingAs::~ActingAs() {
  if (!has_changed_) return;
  if (::seteuid(user_before_) != 0 || ::setegid(group_before_) != 0) std::abort();
}

}  // namespace hansa::client
