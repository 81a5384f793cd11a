// Writes a copy of a model archive with other values, without LibTorch. Everything but the values of the placed tensors,
// and the checksums of their records, is that of the archive, byte for byte: code, names, order, constants.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>

#include "common/digest.h"
#include "common/error.h"
#include "learning/archive_file.h"
#include "learning/value_places.h"

namespace hansa::learning {

struct WrittenFile {
  std::uint64_t bytes = 0;
  Digest sha256;
};

// Values to write over those of the archive: as many as the layout has.
struct PlacedValues {
  const PlacedLayout* where = nullptr;
  std::span<const float> values;
};

// Replaces `out` atomically and durably. The places may come from a process that was taken over: whatever they say, only
// bytes of the records data/N change, to values of `parts`. Of values at one place the last one counts. A value that is a
// variance (is_variance()) and negative becomes zero. Reads the archive twice through a small buffer, and holds at most
// one record in memory, if a tensor in it is not contiguous. Fails (model) if the archive has no usable directory
// (learning/archive_directory.h), or a place is not in a record data/N that is stored without compression; (storage);
// and (resource, "stopped") soon after a stop was requested.
[[nodiscard]] Result<WrittenFile> write_archive_with_values(const ArchiveFile& archive,
                                                            std::span<const PlacedValues> parts,
                                                            const std::filesystem::path& out,
                                                            const std::stop_token& stop);

}  // namespace hansa::learning
