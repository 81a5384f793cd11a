#include "learning/data/follow/file_prefix.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/hex.h"
#include "common/read_at.h"

namespace hansa::learning::internal {
namespace {

std::optional<FileStatus> status_at(int folder, const char* path, int flags) {
  struct statx status {};
  if (::statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return std::nullopt;
  const auto nanoseconds = [](const statx_timestamp& time) {
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
  };
  FileStatus out;
  out.identity.device = ::makedev(status.stx_dev_major, status.stx_dev_minor);
  out.identity.inode = status.stx_ino;
  if ((status.stx_mask & STATX_BTIME) != 0) out.identity.born_ns = nanoseconds(status.stx_btime);
  out.bytes = status.stx_size;
  out.modified_ns = nanoseconds(status.stx_mtime);
  out.regular = S_ISREG(status.stx_mode);
  return out;
}

// Shorter if the file is.
Result<std::vector<std::byte>> bytes_at(const Descriptor& file, std::uint64_t offset, std::uint64_t size,
                                        const std::filesystem::path& path) {
  std::vector<std::byte> out(size);
  const auto read = read_at(file, offset, out);
  if (!read)
    return fail(ErrorCode::data, path.string(), std::string("cannot be read (") + std::strerror(errno) + ")");
  out.resize(*read);
  return out;
}

Checksum chain(const Checksum& before, const Checksum& piece) {
  RunningChecksum out;
  out.update(std::as_bytes(std::span(before.bytes)));
  out.update(std::as_bytes(std::span(piece.bytes)));
  return out.value();
}

std::string hex_of(const Checksum& sum) { return sum.text().substr(sizeof "xxh3:" - 1); }

}  // namespace

bool FileIdentity::is_same(const FileIdentity& other) const {
  const bool born = born_ns == other.born_ns || born_ns == 0 || other.born_ns == 0;
  return device == other.device && inode == other.inode && born;
}

std::optional<FileStatus> status_of(const std::filesystem::path& path) {
  return status_at(AT_FDCWD, path.c_str(), 0);
}
std::optional<FileStatus> status_of(const Descriptor& file) {
  return status_at(file.get(), "", AT_EMPTY_PATH);
}

Result<void> FilePrefix::advance(const Descriptor& file, std::uint64_t offset,
                                 const std::filesystem::path& path) {
  for (;;) {
    const std::uint64_t from = pieces_ * piece_bytes;
    const std::uint64_t size = std::min(piece_bytes, offset - from);
    HANSA_TRY(const auto bytes, bytes_at(file, from, size, path));
    if (bytes.size() != size) return fail(ErrorCode::data, path.string(), "became shorter while it was read");
    rest_ = checksum(std::span<const std::byte>(bytes));
    if (pieces_ == 0) first_ = rest_;
    if (size < piece_bytes) break;
    chained_ = chain(chained_, rest_);
    ++pieces_;
  }
  offset_ = offset;
  return {};
}

Result<bool> FilePrefix::matches(const Descriptor& file, Depth depth,
                                 const std::filesystem::path& path) const {
  const auto status = status_of(file);
  if (!status || status->bytes < offset_) return false;
  if (offset_ == 0) return true;
  if (depth == Depth::all) {
    FilePrefix found;
    if (!found.advance(file, offset_, path)) return false;
    return found == *this;
  }
  HANSA_TRY(const auto first, bytes_at(file, 0, std::min(offset_, piece_bytes), path));
  if (checksum(std::span<const std::byte>(first)) != first_) return false;
  if (pieces_ == 0) return true;
  const std::uint64_t from = pieces_ * piece_bytes;
  HANSA_TRY(const auto rest, bytes_at(file, from, offset_ - from, path));
  return checksum(std::span<const std::byte>(rest)) == rest_;
}

nlohmann::json FilePrefix::json() const {
  return {{"offset", offset_},
          {"pieces", pieces_},
          {"chained", hex_of(chained_)},
          {"first", hex_of(first_)},
          {"rest", hex_of(rest_)}};
}

std::optional<FilePrefix> FilePrefix::from(const nlohmann::json& json) {
  FilePrefix out;
  out.offset_ = json.at("offset").get<std::uint64_t>();
  out.pieces_ = json.at("pieces").get<std::uint64_t>();
  const auto read = [&](const char* key, Checksum& sum) {
    return from_hex(json.at(key).get<std::string>(), sum.bytes);
  };
  const bool valid = out.pieces_ == out.offset_ / piece_bytes && read("chained", out.chained_) &&
                     read("first", out.first_) && read("rest", out.rest_);
  return valid ? std::optional(out) : std::nullopt;
}

}  // namespace hansa::learning::internal
