#include "server/output/internal/event_record.h"

#include <array>
#include <bit>
#include <cassert>
#include <limits>

namespace hansa::server::internal {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // Castagnoli's, reflected
  std::array<std::uint32_t, 256> out{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ polynomial : crc >> 1U;
    out[byte] = crc;
  }
  return out;
}();

template <class T>
void put_little_endian(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xffU));
}
template <class T>
T get_little_endian(std::string_view bytes) {
  T out = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i));
  return out;
}

// The wire types of protobuf.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>((value & 0x7fU) | 0x80U));
  out.push_back(static_cast<char>(value));
}
void put_key(std::string& out, std::uint32_t field, Wire wire) {
  put_varint(out, (field << 3U) | static_cast<std::uint32_t>(wire));
}
void put_double(std::string& out, std::uint32_t field, double value) {
  put_key(out, field, Wire::fixed64);
  put_little_endian(out, std::bit_cast<std::uint64_t>(value));
}
void put_float(std::string& out, std::uint32_t field, float value) {
  put_key(out, field, Wire::fixed32);
  put_little_endian(out, std::bit_cast<std::uint32_t>(value));
}
void put_integer(std::string& out, std::uint32_t field, std::uint64_t value) {
  put_key(out, field, Wire::varint);
  put_varint(out, value);
}
void put_bytes(std::string& out, std::uint32_t field, std::string_view value) {
  put_key(out, field, Wire::bytes);
  put_varint(out, value.size());
  out += value;
}

// One field of a message. The view shrinks by it.
struct Field {
  std::uint32_t number = 0;
  Wire wire = Wire::varint;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;
};

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t out = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    out |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return out;
  }
  return std::nullopt;
}

std::optional<Field> take_field(std::string_view& in) {
  const auto key = take_varint(in);
  if (!key || *key > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  Field out{static_cast<std::uint32_t>(*key >> 3U), static_cast<Wire>(*key & 7U), 0, {}};
  std::size_t size = 0;
  switch (out.wire) {
    case Wire::fixed64: size = 8; break;
    case Wire::fixed32: size = 4; break;
    case Wire::varint:
    case Wire::bytes: {
      const auto value = take_varint(in);
      if (!value) return std::nullopt;
      if (out.wire == Wire::varint) out.value = *value;
      else if (*value > in.size()) return std::nullopt;
      else size = static_cast<std::size_t>(*value);
      break;
    }
    default: return std::nullopt;
  }
  if (size > in.size()) return std::nullopt;
  out.bytes = in.substr(0, size);
  in.remove_prefix(size);
  return out;
}

// The bytes of the first field with this number.
std::optional<std::string_view> find_bytes(std::string_view message, std::uint32_t number) {
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return std::nullopt;
    if (field->number == number && field->wire == Wire::bytes) return field->bytes;
  }
  return std::nullopt;
}

float rounded(double value) {
  constexpr double most = std::numeric_limits<float>::max();
  if (value > most) return std::numeric_limits<float>::infinity();
  if (value < -most) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
}

std::string kind_of(std::string_view tag) { return std::string(tag.substr(0, tag.find('/'))); }

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 0xffU] ^ (crc >> 8U);
  return crc ^ 0xffffffffU;
}

std::uint32_t masked_crc32c(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8U; }

std::string framed(std::string_view message) {
  std::string out;
  put_little_endian(out, static_cast<std::uint64_t>(message.size()));
  put_little_endian(out, masked_crc32c(out));
  out += message;
  put_little_endian(out, masked_crc32c(message));
  return out;
}

std::optional<std::size_t> message_bytes(std::string_view head) {
  assert(head.size() == record_head_bytes);
  const std::string_view length = head.substr(0, 8);
  if (get_little_endian<std::uint32_t>(head.substr(8)) != masked_crc32c(length)) return std::nullopt;
  const auto size = get_little_endian<std::uint64_t>(length);
  if (size > message_bytes_max) return std::nullopt;
  return static_cast<std::size_t>(size);
}

std::string version_event(double wall_time) {
  std::string out;
  put_double(out, 1, wall_time);
  put_bytes(out, 3, "brain.Event:2");
  return out;
}

std::string event_of(const SeriesRow& row) {
  std::string summary;
  for (const SeriesValue& value : row.values) {
    std::string entry;
    put_bytes(entry, 1, value.name);
    put_float(entry, 2, rounded(value.value));
    put_bytes(summary, 1, entry);
  }
  std::string out;
  put_double(out, 1, row.time);
  put_integer(out, 2, row.round.value);
  put_bytes(out, 5, summary);
  return out;
}

EventKey key_of(const SeriesRow& row) {
  assert(!row.values.empty());
  return {kind_of(row.values.front().name), row.round};
}

std::optional<EventKey> key_of_event(std::string_view message) {
  EventKey out;
  std::string_view rest = message;
  while (!rest.empty()) {
    const auto field = take_field(rest);
    if (!field) return std::nullopt;
    if (field->number == 2 && field->wire == Wire::varint) {
      if (field->value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
      out.round = RoundId{static_cast<std::uint32_t>(field->value)};
    }
  }
  const auto summary = find_bytes(message, 5);
  const auto value = summary ? find_bytes(*summary, 1) : std::nullopt;
  const auto tag = value ? find_bytes(*value, 1) : std::nullopt;
  if (!tag) return std::nullopt;
  out.kind = kind_of(*tag);
  return out;
}

}  // namespace hansa::server::internal
