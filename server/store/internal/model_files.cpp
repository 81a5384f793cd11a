#include "server/store/internal/model_files.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <system_error>
#include <future>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/files.h"
#include "common/open_file.h"
#include "common/vector_digest.h"

namespace hansa::server::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "model files are little-endian");

constexpr const char* unfinished_name = "model.tmp";
constexpr unsigned hashing_threads_max = 8;  // as fast as any disk
// Read and hashed in pieces that stay in the second-level cache.
constexpr std::size_t piece_bytes = 256 << 10;

std::string file_name(const Digest& digest) { return digest.hex() + ModelFiles::suffix; }

Result<Descriptor> open_directory(const std::filesystem::path& folder) {
  Descriptor directory = open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!directory) return fail_with_errno(folder, "cannot be opened");
  return directory;
}

// Returns 0 at the end.
Result<std::size_t> read_some(const Descriptor& file, std::span<std::byte> out,
                              const std::filesystem::path& place) {
  for (;;) {
    const ssize_t n = ::read(file.get(), out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_with_errno(place, "cannot be read");
  }
}

tl::unexpected<Error> fail_damaged(const std::filesystem::path& place) {
  return fail(ErrorCode::storage, place.string(), "is damaged: its content does not match its name",
              "restore the file from a copy");
}

}  // namespace

Result<ModelFiles> ModelFiles::open(const std::filesystem::path& folder) {
  HANSA_TRY_VOID(make_folders(folder));
  HANSA_TRY_VOID(remove_unfinished(folder));
  HANSA_TRY(ModelFiles files, open_read_only(folder));
  if (::fsync(files.directory_.get()) != 0) return fail_with_errno(folder, "cannot be flushed to disk");
  return files;
}

Result<ModelFiles> ModelFiles::open_read_only(const std::filesystem::path& folder) {
  ModelFiles files;
  files.folder_ = folder;
  HANSA_TRY(files.directory_, open_directory(folder));
  return files;
}

// Whether the file is complete and valid: this object wrote it, or read and verified it.
bool ModelFiles::is_whole(const Digest& digest, std::span<const float> parameters) {
  struct stat status {};
  if (::fstatat(directory_.get(), file_name(digest).c_str(), &status, 0) != 0 ||
      static_cast<std::uint64_t>(status.st_size) != parameters.size_bytes())
    return false;
  if (whole_.contains(digest)) return true;
  std::vector<float> kept(parameters.size());
  if (!get(digest, kept)) return false;
  whole_.insert(digest);
  return true;
}

Result<Digest> ModelFiles::put(std::span<const float> parameters) {
  Digest digest;
  // A large model is hashed while it is written, under a name that needs no digest.
  std::future<void> hashing;
  if (parameters.size_bytes() >= vector_piece_bytes) {
    hashing = std::async(std::launch::async, [&] {
      digest = vector_digest(parameters, std::min(hashing_threads_max, std::thread::hardware_concurrency()));
    });
  } else {
    digest = vector_digest(parameters);
    if (is_whole(digest, parameters)) return digest;
  }
  const auto place = folder_ / unfinished_name;
  const auto write = [&]() -> Result<void> {
    const Descriptor file =
        open_file_at(directory_, unfinished_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (!file) return fail_with_errno(place, "cannot be created");
    HANSA_TRY_VOID(writer_.write(file, std::as_bytes(parameters), place));
    if (::fsync(file.get()) != 0) return fail_with_errno(place, "cannot be flushed to disk");
    if (hashing.valid()) hashing.get();
    const std::string name = file_name(digest);
    if (::renameat(directory_.get(), unfinished_name, directory_.get(), name.c_str()) != 0)
      return fail_with_errno(folder_ / name, "cannot be put in place");
    return {};
  };
  if (auto written = write(); !written) {
    ::unlinkat(directory_.get(), unfinished_name, 0);
    return tl::unexpected<Error>(std::move(written).error());
  }
  if (::fsync(directory_.get()) != 0) return fail_with_errno(folder_, "cannot be flushed to disk");
  whole_.insert(digest);
  return digest;
}

// Opens a vector's file, which must have this size, if one is given.
Result<Descriptor> ModelFiles::open_whole(const Digest& digest, std::optional<std::uint64_t> bytes) const {
  const auto place = path(digest);
  Descriptor file(::openat(directory_.get(), file_name(digest).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail_with_errno(place, "cannot be opened");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_with_errno(place, "cannot be read");
  if (bytes && static_cast<std::uint64_t>(status.st_size) != *bytes)
    return fail(
        ErrorCode::storage, place.string(),
        "has " + std::to_string(status.st_size) + " bytes, and the model needs " + std::to_string(*bytes),
        "restore the file from a copy");
  return file;
}

Result<void> ModelFiles::get(const Digest& digest, std::span<float> parameters) const {
  const auto place = path(digest);
  const auto bytes = std::as_writable_bytes(parameters);
  HANSA_TRY(const Descriptor file, open_whole(digest, bytes.size()));
  VectorDigest hash;
  for (std::size_t done = 0; done < bytes.size();) {
    const auto piece = bytes.subspan(done, std::min(piece_bytes, bytes.size() - done));
    HANSA_TRY(const std::size_t n, read_some(file, piece, place));
    if (n == 0) break;
    hash.update(piece.first(n));
    done += n;
  }
  if (hash.finish() == digest) return {};
  // Before schema 4 a model was named by the SHA-256 of all its bytes, however large.
  if (sha256(bytes) == digest) return {};
  return fail_damaged(place);
}

Result<void> ModelFiles::check(const Digest& digest, std::optional<std::uint64_t> bytes) const {
  const auto place = path(digest);
  HANSA_TRY(const Descriptor file, open_whole(digest, bytes));
  std::vector<std::byte> piece(piece_bytes);
  VectorDigest hash;
  Sha256 older_hash;
  for (;;) {
    HANSA_TRY(const std::size_t n, read_some(file, piece, place));
    if (n == 0) break;
    hash.update(std::span(piece).first(n));
    older_hash.update(std::span(piece).first(n));
  }
  if (hash.finish() == digest || older_hash.finish() == digest) return {};
  return fail_damaged(place);
}

bool ModelFiles::contains(const Digest& digest) const {
  struct stat status {};
  return ::fstatat(directory_.get(), file_name(digest).c_str(), &status, 0) == 0;
}

void ModelFiles::remove(const Digest& digest, FileRemover& remover) {
  remover.remove(path(digest));
  whole_.erase(digest);
}

std::filesystem::path ModelFiles::path(const Digest& digest) const { return folder_ / file_name(digest); }

}  // namespace hansa::server::internal
