// Blobs in the state, each with a digest: SQLite itself does not notice a bit that flipped inside a value.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/sqlite/statement.h"

namespace hansa::client {

// Thrown when what is read is not what was written. Caught in StateStore::run().
struct Damaged {
  std::string what;
};
// Thrown when a call must fail although the store is intact. Caught in StateStore::run().
struct Refused {
  Error error;
};

// Bound as the first part of the SHA-256 of the bytes, followed by the bytes.
struct Sealed {
  explicit Sealed(std::span<const std::byte> b) : bytes(b) {}
  explicit Sealed(std::string_view text) : bytes(std::as_bytes(std::span(text))) {}
  std::span<const std::byte> bytes;
};
void bind_value(SQLite::Statement& to, int index, const Sealed& value);

// What Sealed wrote. Reading it throws Damaged if the bytes do not match their digest.
struct Unsealed {
  std::vector<std::byte> bytes;
  [[nodiscard]] std::string text() const;
};
void read_value(const SQLite::Column& from, Unsealed& out);

}  // namespace hansa::client
