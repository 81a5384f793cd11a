#include "learning/data/kinds/open_files.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/read_at.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::uint64_t content_bytes_max = std::uint64_t{4} << 30U;
std::atomic<std::size_t> descriptors_held = 0;  // by all objects
constexpr std::size_t spare_descriptors = 256;  // for the rest of the process

// The limit of the process, which is raised as far as the system allows, because the usual one is meant for select(2).
std::size_t descriptors_allowed() {
  static const std::size_t allowed = [] {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::size_t{0};
    if (limit.rlim_cur < limit.rlim_max) {
      const rlimit raised{limit.rlim_max, limit.rlim_max};
      if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    }
    const auto most = std::min<rlim_t>(limit.rlim_cur, 1U << 20U);
    return most > spare_descriptors ? static_cast<std::size_t>(most) - spare_descriptors : std::size_t{0};
  }();
  return allowed;
}

tl::unexpected<Error> unreadable(const std::filesystem::path& path, std::string what) {
  return fail(ErrorCode::data, path.string(), std::move(what),
              "give the user that runs this program read permission", {ReasonCode::data_unreadable, {}});
}

Result<std::vector<std::byte>> content_of(const Descriptor& file, std::uint64_t bytes,
                                          const std::filesystem::path& path) {
  std::vector<std::byte> out(bytes);
  const auto read = read_at(file, 0, out);
  if (!read) return unreadable(path, std::string("cannot be read (") + std::strerror(errno) + ")");
  if (*read < bytes)
    return fail(ErrorCode::data, path.string(), "became shorter while it was in use",
                "replace files instead of writing into them", {ReasonCode::data_damaged, {}});
  return out;
}

}  // namespace

OpenFiles::OpenFiles() : OpenFiles(descriptors_allowed()) {}
OpenFiles::OpenFiles(std::size_t descriptors_max)
    : descriptors_max_(descriptors_max), held_(new std::size_t(0), [](const std::size_t* held) {
        descriptors_held -= *held;
        delete held;
      }) {}

Result<void> OpenFiles::add(const std::filesystem::path& path, std::uint64_t bytes_max) {
  File file{Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), 0, {}};
  struct stat status {};
  if (!file.descriptor || ::fstat(file.descriptor.get(), &status) != 0)
    return fail(ErrorCode::data, path.string(),
                std::string("cannot be opened (") + std::strerror(errno) + ")",
                errno == ENOENT   ? "correct the path, or remove its line"
                : errno == EMFILE ? "raise the limit of open files (ulimit -Hn)"
                                  : "give the user that runs this program read permission",
                {ReasonCode::data_unreadable, {}});
  if (!S_ISREG(status.st_mode)) return unreadable(path, "is not a file");
  file.bytes = static_cast<std::uint64_t>(status.st_size);
  if (file.bytes > bytes_max)
    return fail(ErrorCode::data, path.string(),
                "has " + std::to_string(file.bytes >> 20U) + " MiB, and " + std::to_string(bytes_max >> 20U) +
                    " MiB are the most",
                "make it smaller", {ReasonCode::data_too_large, {}});
  if (descriptors_held < descriptors_max_) {
    ++descriptors_held;
    ++*held_;
  } else {
    if (memory_bytes_ + file.bytes > content_bytes_max)
      return fail(ErrorCode::resource, path.string(),
                  "is one of more files than this process may keep open, and the others take more than 4 GiB "
                  "of memory",
                  "raise the limit of open files (ulimit -Hn), or set data.examples_max",
                  {ReasonCode::data_too_large, {}});
    HANSA_TRY(file.content, content_of(file.descriptor, file.bytes, path));
    file.descriptor = Descriptor();
    memory_bytes_ += file.bytes;
  }
  memory_bytes_ += sizeof file;
  files_.push_back(std::move(file));
  return {};
}

void OpenFiles::remove_last() {
  const File& last = files_.back();
  if (last.descriptor) {
    --descriptors_held;
    --*held_;
  }
  memory_bytes_ -= sizeof last + last.content.size();
  files_.pop_back();
}

Result<std::vector<std::byte>> OpenFiles::read(std::size_t index, const std::filesystem::path& path) const {
  const File& file = files_[index];
  if (!file.descriptor) return file.content;
  return content_of(file.descriptor, file.bytes, path);
}

Result<std::size_t> OpenFiles::read_part(std::size_t index, std::uint64_t offset, std::span<std::byte> out,
                                         const std::filesystem::path& path) const {
  const File& file = files_[index];
  if (file.descriptor) {
    const auto read = read_at(file.descriptor, offset, out);
    if (!read) return unreadable(path, std::string("cannot be read (") + std::strerror(errno) + ")");
    return *read;
  }
  const std::size_t begin = std::min<std::uint64_t>(offset, file.content.size());
  const std::size_t n = std::min(out.size(), file.content.size() - begin);
  std::copy_n(file.content.begin() + static_cast<std::ptrdiff_t>(begin), n, out.begin());
  return n;
}

}  // namespace hansa::learning::kinds
