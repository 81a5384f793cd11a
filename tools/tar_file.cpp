#include "tools/tar_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "common/descriptor.h"

namespace hansa::tools {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t buffer_bytes = std::size_t{1} << 18;
constexpr const char* compression = "wb1";  // float32 values compress little, at any level

struct Header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6],
      version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
static_assert(sizeof(Header) == block_bytes);

// Octal digits and a NUL, as wide as the field.
template <std::size_t N>
void write_octal(char (&field)[N], std::uint64_t value) {
  field[N - 1] = '\0';
  for (std::size_t i = N - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

void write_size(Header& header, std::uint64_t bytes) {
  constexpr std::uint64_t octal_max = (std::uint64_t{1} << 33) - 1;
  if (bytes <= octal_max) return write_octal(header.size, bytes);
  for (std::size_t i = sizeof header.size; i-- > 1; bytes >>= 8)
    header.size[i] = static_cast<char>(bytes & 0xff);
  header.size[0] = static_cast<char>(0x80);
}

Result<void> write_name(Header& header, const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::string folders = slash == std::string::npos ? "" : name.substr(0, slash);
  const std::string last = slash == std::string::npos ? name : name.substr(slash + 1);
  if (last.empty() || last.size() > sizeof header.name || folders.size() > sizeof header.prefix)
    return fail(ErrorCode::storage, name, "has too long a name for a tar file");
  std::memcpy(header.name, last.data(), last.size());
  std::memcpy(header.prefix, folders.data(), folders.size());
  return {};
}

Result<Header> header_of(const std::string& name, const struct stat& status) {
  Header header{};
  HANSA_TRY_VOID(write_name(header, name));
  write_octal(header.mode, status.st_mode & 0777);
  write_octal(header.uid, 0);
  write_octal(header.gid, 0);
  write_size(header, static_cast<std::uint64_t>(status.st_size));
  write_octal(header.mtime, static_cast<std::uint64_t>(std::max<std::int64_t>(status.st_mtime, 0)));
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  std::memset(header.checksum, ' ', sizeof header.checksum);
  std::array<unsigned char, block_bytes> bytes{};
  std::memcpy(bytes.data(), &header, bytes.size());
  std::uint64_t sum = 0;
  for (const unsigned char byte : bytes) sum += byte;
  char digits[7];
  write_octal(digits, sum);
  std::memcpy(header.checksum, digits, sizeof digits);
  return header;
}

}  // namespace

struct TarFile::State {
  std::filesystem::path path;
  gzFile file = nullptr;
  std::uint64_t bytes = 0;  // before compression

  ~State() {
    if (file != nullptr) ::gzclose(file);
  }
  Result<void> write(const void* data, std::size_t count) {
    bytes += count;
    if (count == 0 || ::gzwrite(file, data, static_cast<unsigned>(count)) == static_cast<int>(count))
      return {};
    return fail_with_errno(path, "cannot be written");
  }
  Result<void> pad() {
    static constexpr std::array<char, block_bytes> zeros{};
    return write(zeros.data(), (block_bytes - bytes % block_bytes) % block_bytes);
  }
};

TarFile::TarFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarFile::~TarFile() = default;
TarFile::TarFile(TarFile&&) noexcept = default;

Result<TarFile> TarFile::create(const std::filesystem::path& path, FileAccess access) {
  const mode_t mode = access == FileAccess::owner_only ? 0600 : 0644;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail_with_errno(path, "cannot be created");
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = ::gzdopen(fd, compression);
  if (state->file == nullptr) {
    ::close(fd);
    return fail(ErrorCode::storage, path.string(), "cannot be written: no memory");
  }
  return TarFile(std::move(state));
}

Result<void> TarFile::add(const std::filesystem::path& file, const std::string& name) {
  const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!input) return fail_with_errno(file, "cannot be read");
  struct stat status {};
  if (::fstat(input.get(), &status) != 0) return fail_with_errno(file, "cannot be read");
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::storage, file.string(), "is not a regular file");
  HANSA_TRY(const Header header, header_of(name, status));
  HANSA_TRY_VOID(state_->write(&header, sizeof header));
  std::vector<char> buffer(buffer_bytes);
  for (auto left = static_cast<std::uint64_t>(status.st_size); left > 0;) {
    const ssize_t n = ::read(input.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_with_errno(file, "cannot be read");
    if (n == 0) return fail(ErrorCode::storage, file.string(), "was truncated while it was read");
    HANSA_TRY_VOID(state_->write(buffer.data(), static_cast<std::size_t>(n)));
    left -= static_cast<std::uint64_t>(n);
  }
  return state_->pad();
}

Result<void> TarFile::finish() {
  static constexpr std::array<char, 2 * block_bytes> end{};
  HANSA_TRY_VOID(state_->write(end.data(), end.size()));
  if (::gzclose(std::exchange(state_->file, nullptr)) != Z_OK)
    return fail_with_errno(state_->path, "cannot be written");
  const Descriptor written(::open(state_->path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written || ::fsync(written.get()) != 0) return fail_with_errno(state_->path, "cannot be flushed");
  const gzFile check = ::gzopen(state_->path.c_str(), "rb");
  std::vector<char> buffer(buffer_bytes);
  std::uint64_t bytes = 0;
  int n = -1;
  while (check != nullptr && (n = ::gzread(check, buffer.data(), static_cast<unsigned>(buffer.size()))) > 0)
    bytes += static_cast<std::uint64_t>(n);
  const bool closed = check != nullptr && ::gzclose(check) == Z_OK;
  if (n == 0 && closed && bytes == state_->bytes) return {};
  return fail(ErrorCode::storage, state_->path.string(), "does not hold what was written to it",
              "check the disk");
}

}  // namespace hansa::tools
