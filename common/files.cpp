#include "common/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/open_file.h"
#include "common/replace_file.h"

namespace hansa {
namespace {

// Reads until `out` is full or the file ends. Returns the number of bytes read.
Result<std::size_t> read_whole(const Descriptor& file, std::span<std::byte> out,
                               const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::read(file.get(), out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno(path, "cannot be read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

template <class Buffer>
Result<Buffer> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const Descriptor file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return fail_with_errno(path, "cannot be opened");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_with_errno(path, "cannot be read");
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::storage, path.string(), "is not a file");
  if (static_cast<std::size_t>(status.st_size) > bytes_max)
    return fail(ErrorCode::storage, path.string(), "is larger than " + std::to_string(bytes_max) + " bytes");
  Buffer out(static_cast<std::size_t>(status.st_size), typename Buffer::value_type{});
  HANSA_TRY(const std::size_t done, read_whole(file, std::as_writable_bytes(std::span(out)), path));
  out.resize(done);
  return out;
}

// Calls use(bytes) for one part of the file after the other, and returns the digest of the whole file.
template <class Use>
Result<Digest> read_in_parts(const std::filesystem::path& path, Use use) {
  const Descriptor file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return fail_with_errno(path, "cannot be opened");
  Sha256 hash;
  std::vector<std::byte> buffer(256 << 10);
  while (true) {
    HANSA_TRY(const std::size_t size, read_whole(file, buffer, path));
    if (size == 0) return hash.finish();
    const auto bytes = std::span<const std::byte>(buffer).first(size);
    hash.update(bytes);
    HANSA_TRY_VOID(use(bytes));
  }
}

}  // namespace

Result<std::string> read_text_file(const std::filesystem::path& path, std::size_t bytes_max) {
  return read_file<std::string>(path, bytes_max);
}

Result<std::vector<std::byte>> read_binary_file(const std::filesystem::path& path, std::size_t bytes_max) {
  return read_file<std::vector<std::byte>>(path, bytes_max);
}

Result<void> read_file_into(const std::filesystem::path& path, std::span<std::byte> out) {
  const Descriptor file = open_file(path, O_RDONLY | O_CLOEXEC);
  if (!file) return fail_with_errno(path, "cannot be opened");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_with_errno(path, "cannot be read");
  if (static_cast<std::uint64_t>(status.st_size) != out.size())
    return fail(ErrorCode::storage, path.string(),
                "has " + std::to_string(status.st_size) + " bytes, not " + std::to_string(out.size()));
  HANSA_TRY(const std::size_t done, read_whole(file, out, path));
  if (done != out.size()) return fail(ErrorCode::storage, path.string(), "became shorter while it was read");
  return {};
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes,
                                   FileAccess access) {
  return replace_file(path, access,
                      [&](const Descriptor& file, const std::filesystem::path& temporary) -> Result<void> {
                        return write_whole(file, bytes, temporary);
                      });
}

Result<Digest> copy_file_atomically(const std::filesystem::path& from, const std::filesystem::path& to) {
  Digest digest;
  const auto copy = [&](const Descriptor& file, const std::filesystem::path& temporary) -> Result<void> {
    HANSA_TRY(digest, read_in_parts(from, [&](std::span<const std::byte> bytes) {
                return write_whole(file, bytes, temporary);
              }));
    return {};
  };
  HANSA_TRY_VOID(replace_file(to, FileAccess::everyone_reads, copy));
  return digest;
}

Result<void> remove_unfinished(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension().string().starts_with(".tmp")) ::unlink(it->path().c_str());
  if (error) return fail(ErrorCode::storage, folder.string(), "cannot be listed (" + error.message() + ")");
  return {};
}

Result<Digest> digest_of_file(const std::filesystem::path& path) {
  return read_in_parts(path, [](std::span<const std::byte>) { return Result<void>(); });
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text,
                                   FileAccess access) {
  return write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())), access);
}

Result<void> make_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail(ErrorCode::storage, path.string(), "cannot be created (" + error.message() + ")");
  return {};
}

std::filesystem::path program_folder() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::current_path() : path.parent_path();
}

}  // namespace hansa
