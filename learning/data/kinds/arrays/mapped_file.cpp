#include "learning/data/kinds/arrays/mapped_file.h"

#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hansa::learning::kinds {

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path,
                                                           const std::string& hint) {
  const auto bad = [&](const char* what, std::string how) {
    return fail(ErrorCode::data, path.string(), what, std::move(how), {ReasonCode::data_unreadable, {}});
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return bad("does not exist", hint);
  if (!std::filesystem::is_regular_file(status)) return bad("is not a file", hint);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return bad("cannot be opened", "give the user that runs this program read permission");
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  if (size < 0) return bad("cannot be read", "copy it to a local disk");
  if (size == 0) return bad("is empty", "fetch or copy the file again");
  void* memory = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) return bad("cannot be mapped into memory", "copy it to a local disk");
  const std::span bytes(static_cast<const std::byte*>(memory), static_cast<std::size_t>(size));
  return std::shared_ptr<const MappedFile>(new MappedFile(path, std::move(file), bytes));
}

MappedFile::MappedFile(std::filesystem::path path, Descriptor file, std::span<const std::byte> bytes)
    : path_(std::move(path)), file_(std::move(file)), bytes_(bytes), guard_(bytes) {}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

Result<void> MappedFile::check() const {
  // lseek, because the locked trainer may not call what fstat() calls. Nothing reads from the position.
  const off_t size = ::lseek(file_.get(), 0, SEEK_END);
  if (size >= 0 && static_cast<std::uint64_t>(size) >= bytes_.size() && !guard_.has_faulted()) return {};
  return fail(ErrorCode::data, path_.string(), "has become shorter since it was opened",
              "replace a data file by renaming a new one over it", {ReasonCode::data_damaged, {}});
}

}  // namespace hansa::learning::kinds
