// The directory of a model archive, which is a ZIP file: where each record is, and where its checksum is written.
//
// ZIP: APPNOTE.TXT 6.3 of PKWARE, sections 4.3 to 4.5. Without LibTorch, for a process that does not run models. Accepts
// what torch.jit.save() writes, and refuses what programs read in different ways: records that share bytes or a name,
// headers that contradict each other, a directory that does not lie directly before the end, several disks, encryption.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa::learning {

struct ArchiveRecord {
  std::string name;  // within the archive's folder: "data/0"
  std::uint64_t begin = 0;  // of the record's bytes in the file
  std::uint64_t bytes = 0;  // in the file
  bool is_compressed = false;
  // Where the file has the CRC-32 of the record, in four little-endian bytes: in the central directory, and in the local
  // header or behind the bytes.
  std::vector<std::uint64_t> checksums_at;
};

class ArchiveDirectory {
 public:
  static constexpr std::uint64_t directory_bytes_max = std::uint64_t{64} << 20;

  // Fails (model) if the file has no such directory, or one of more than directory_bytes_max bytes; (storage) if it
  // cannot be read. The location names the file in errors. The memory is bounded by the size of the directory.
  [[nodiscard]] static Result<ArchiveDirectory> read(const Descriptor& file, const std::string& location);

  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }
  // In the order of their bytes. No two records share bytes or a name.
  [[nodiscard]] std::span<const ArchiveRecord> records() const { return records_; }
  // Null if there is none.
  [[nodiscard]] const ArchiveRecord* find(std::string_view name) const;

 private:
  std::uint64_t file_bytes_ = 0;
  std::vector<ArchiveRecord> records_;
  std::vector<std::size_t> by_name_;  // indices of records_, sorted by name
};

}  // namespace hansa::learning
