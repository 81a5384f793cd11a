#include "common/sqlite/values.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include <sqlite3.h>

namespace hansa::sqlite {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors of double are little-endian");

// The pointer of an empty span may be null, and SQLite would bind a null pointer as NULL.
void bind_blob(SQLite::Statement& to, int index, const void* data, std::size_t size) {
  to.bind(index, size > 0 ? data : "", static_cast<int>(size));
}

template <class Bytes>
void read_exactly(const SQLite::Column& from, Bytes& out) {
  out.fill(0);
  if (from.isNull()) return;
  if (from.getBytes() != static_cast<int>(out.size()))
    throw SQLite::Exception(std::string("column ") + from.getName() + " has a wrong size", SQLITE_CORRUPT);
  std::memcpy(out.data(), from.getBlob(), out.size());
}

template <class T>
void read_all(const SQLite::Column& from, std::vector<T>& out) {
  out.resize(static_cast<std::size_t>(from.getBytes()) / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), from.getBlob(), out.size() * sizeof(T));
}

}  // namespace

void bind_value(SQLite::Statement& to, int index, double value) { to.bind(index, value); }
void bind_value(SQLite::Statement& to, int index, std::string_view text) {
  to.bind(index, std::string(text));
}
void bind_value(SQLite::Statement& to, int index, std::span<const std::byte> bytes) {
  bind_blob(to, index, bytes.data(), bytes.size());
}
void bind_value(SQLite::Statement& to, int index, std::span<const double> values) {
  bind_blob(to, index, values.data(), values.size_bytes());
}
void bind_value(SQLite::Statement& to, int index, const Digest& digest) {
  bind_blob(to, index, digest.bytes.data(), digest.bytes.size());
}
void bind_value(SQLite::Statement& to, int index, const Checksum& sum) {
  bind_blob(to, index, sum.bytes.data(), sum.bytes.size());
}

void read_value(const SQLite::Column& from, double& out) {
  out = from.isNull() ? std::numeric_limits<double>::quiet_NaN() : from.getDouble();
}
void read_value(const SQLite::Column& from, std::string& out) { out = from.getString(); }
void read_value(const SQLite::Column& from, std::vector<std::byte>& out) { read_all(from, out); }
void read_value(const SQLite::Column& from, std::vector<double>& out) { read_all(from, out); }
void read_value(const SQLite::Column& from, Digest& out) { read_exactly(from, out.bytes); }
void read_value(const SQLite::Column& from, Checksum& out) { read_exactly(from, out.bytes); }

}  // namespace hansa::sqlite
