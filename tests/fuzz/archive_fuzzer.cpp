// Reads the directory of hostile archives. Property: the records of an archive that is accepted lie within it and share no
// byte, and so do their checksums.
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "learning/archive_directory.h"
#include "tests/fuzz/message_fuzzer.h"

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hansa::Descriptor file(::memfd_create("archive", MFD_CLOEXEC));
  require(::ftruncate(file.get(), 0) == 0 && ::lseek(file.get(), 0, SEEK_SET) == 0 &&
              hansa::write_whole(file, std::as_bytes(std::span(data, size)), "archive"),
          "the archive cannot be stored");
  const auto directory = hansa::learning::ArchiveDirectory::read(file, "archive");
  if (!directory) return 0;
  require(directory->file_bytes() == size, "the size is another one");
  std::uint64_t end = 0;
  for (const hansa::learning::ArchiveRecord& record : directory->records()) {
    require(record.begin >= end && record.begin <= size && record.bytes <= size - record.begin,
            "a record shares bytes or lies outside of the archive");
    end = record.begin + record.bytes;
    for (const std::uint64_t field : record.checksums_at)
      require(field <= size - sizeof(std::uint32_t) &&
                  (field + sizeof(std::uint32_t) <= record.begin || field >= end),
              "a checksum lies in its record or outside of the archive");
    require(directory->find(record.name) == &record, "a record is not found by its name");
  }
  return 0;
}
