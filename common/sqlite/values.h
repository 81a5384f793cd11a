// How values of the project's types are stored in SQLite. Each type has one representation:
//
//   integers          INTEGER; std::uint64_t as the std::int64_t of the same bits
//   identifiers       INTEGER, their value
//   double            REAL; "not a number" is NULL
//   text              TEXT
//   Digest, Checksum  BLOB of 32 or 16 bytes
//   bytes             BLOB
//   vector of double  BLOB of binary64, little-endian
//   std::optional     NULL, or the value
//
// NULL is read as a zero Digest or Checksum, which names nothing. A blob whose length does not fit its type is reported
// as damage (SQLITE_CORRUPT). These functions throw SQLite::Exception: guard.h.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/identifiers.h"

namespace hansa::sqlite {

template <std::integral T>
void bind_value(SQLite::Statement& to, int index, T value) {
  to.bind(index, static_cast<std::int64_t>(value));
}
template <class Tag, class Representation>
void bind_value(SQLite::Statement& to, int index, const Identifier<Tag, Representation>& id) {
  bind_value(to, index, id.value);
}
void bind_value(SQLite::Statement& to, int index, double value);
void bind_value(SQLite::Statement& to, int index, std::string_view text);
void bind_value(SQLite::Statement& to, int index, std::span<const std::byte> bytes);
void bind_value(SQLite::Statement& to, int index, std::span<const double> values);
void bind_value(SQLite::Statement& to, int index, const Digest& digest);
void bind_value(SQLite::Statement& to, int index, const Checksum& sum);
template <class T>
void bind_value(SQLite::Statement& to, int index, const std::optional<T>& value) {
  if (value) bind_value(to, index, *value);
  else to.bind(index);
}

template <std::integral T>
void read_value(const SQLite::Column& from, T& out) {
  out = static_cast<T>(from.getInt64());
}
template <class Tag, class Representation>
void read_value(const SQLite::Column& from, Identifier<Tag, Representation>& out) {
  read_value(from, out.value);
}
void read_value(const SQLite::Column& from, double& out);
void read_value(const SQLite::Column& from, std::string& out);
void read_value(const SQLite::Column& from, std::vector<std::byte>& out);
void read_value(const SQLite::Column& from, std::vector<double>& out);
void read_value(const SQLite::Column& from, Digest& out);
void read_value(const SQLite::Column& from, Checksum& out);
template <class T>
void read_value(const SQLite::Column& from, std::optional<T>& out) {
  if (from.isNull()) out.reset();
  else read_value(from, out.emplace());
}

}  // namespace hansa::sqlite
