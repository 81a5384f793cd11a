// Exceptions of SQLite become errors: no exception leaves the folder of a database.
#pragma once
#include <filesystem>
#include <type_traits>

#include <SQLiteCpp/Exception.h>

#include "common/error.h"

namespace hansa::sqlite {

// Code storage, location file: "DOING failed (what SQLite reports)", with a hint for a full disk and for damage.
[[nodiscard]] Error error_of(const std::filesystem::path& file, const char* doing,
                             const SQLite::Exception& caught);
// Whether the file is damaged, or is no database.
[[nodiscard]] bool is_damage(const SQLite::Exception& caught);

// The result of work, or the error of the exception that it threw.
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
