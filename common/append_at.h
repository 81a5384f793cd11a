// Appends to a file whose end is known, completely or not at all.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa {

// Writes the bytes at `size`, and adds their number to it. Fails (storage) if not all of them can be written; the file is
// cut to `size` again then. If that fails too, the reader finds an incomplete record at the end. path: for the error.
[[nodiscard]] Result<void> append_at(const Descriptor& file, std::int64_t& size, std::string_view bytes,
                                     const std::filesystem::path& path);

}  // namespace hansa
