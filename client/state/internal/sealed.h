// Blobs in the state with a digest each: SQLite itself does not notice a bit that flipped inside a value.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"

namespace SQLite {
class Column;
class Statement;
}  // namespace SQLite

namespace hansa::client {

// Thrown when what is read is not what was written. Caught in StateStore::run().
struct Damaged {
  std::string what;
};
// Thrown when a call must fail although the store is intact. Caught in StateStore::run().
struct Refused {
  Error error;
};

// The first bytes of the SHA-256 of the bytes, then these.
[[nodiscard]] std::vector<std::byte> sealed(std::span<const std::byte> bytes);
[[nodiscard]] std::vector<std::byte> sealed(const std::string& text);
// The bytes of a column that sealed() made; valid as long as the column's row. Throws Damaged.
[[nodiscard]] std::span<const std::byte> unsealed(const SQLite::Column& column);
[[nodiscard]] std::string unsealed_text(const SQLite::Column& column);

void bind_bytes(SQLite::Statement& to, int index, std::span<const std::byte> bytes);

}  // namespace hansa::client
