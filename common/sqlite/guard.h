// Converts SQLite's exceptions to errors, so that no exception leaves a folder that uses a database.
#pragma once
#include <filesystem>
#include <type_traits>

#include <SQLiteCpp/Exception.h>

#include "common/error.h"

namespace hansa::sqlite {

// An error with the code `storage`, the location `file`, the text "DOING failed (what SQLite reports)", and a hint if
// the disk is full or the file is damaged.
[[nodiscard]] Error error_of(const std::filesystem::path& file, const char* doing,
                             const SQLite::Exception& caught);
// Whether the file is damaged or is not a database.
[[nodiscard]] bool is_damage(const SQLite::Exception& caught);

// Returns the result of `work`, or an error for the exception that it threw.
template <class Work>
[[nodiscard]] auto guarded(const std::filesystem::path& file, const char* doing, Work work)
    -> Result<decltype(work())> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const SQLite::Exception& caught) {
    return tl::unexpected<Error>(error_of(file, doing, caught));
  }
}

}  // namespace hansa::sqlite
