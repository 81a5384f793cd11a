#include "learning/data/kinds/npy/npy_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "learning/data/kinds/arrays/array.h"
#include "learning/data/kinds/npy/python_dict.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t dimensions_max = 64;  // that of NumPy 2
constexpr const char* write_hint = "write it with numpy.save";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Place {
  std::size_t begin;
  std::size_t size;
};
// Where the dict's text is. Empty: the file ends before it, or has another version.
std::optional<Place> find_dict(std::string_view start) {
  if (start.size() < 10) return std::nullopt;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(start[at]));
  };
  if (byte(6) == 1) return Place{10, byte(8) | byte(9) << 8};
  if (start.size() < 12 || (byte(6) != 2 && byte(6) != 3)) return std::nullopt;
  return Place{12, byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24};
}

std::optional<NumberType> number_type_of(std::string_view code) {
  using Named = std::pair<std::string_view, NumberType>;
  constexpr std::array types{
      Named{"f2", NumberType::float16}, Named{"f4", NumberType::float32}, Named{"f8", NumberType::float64},
      Named{"i1", NumberType::int8},    Named{"i2", NumberType::int16},   Named{"i4", NumberType::int32},
      Named{"i8", NumberType::int64},   Named{"u1", NumberType::uint8},   Named{"u2", NumberType::uint16},
      Named{"u4", NumberType::uint32},  Named{"u8", NumberType::uint64},  Named{"b1", NumberType::boolean}};
  for (const auto& [name, type] : types)
    if (name == code) return type;
  return std::nullopt;
}

tl::unexpected<Error> bad(const std::string& location, std::string what, std::string hint,
                          ReasonCode reason = ReasonCode::data_damaged) {
  return fail(ErrorCode::data, location, std::move(what), std::move(hint), {reason, {}});
}

// Writes type and byte order of a descriptor such as "<f4".
Result<void> read_type(const std::string& descriptor, const std::string& location, NpyHeader& out) {
  const char order = descriptor.empty() ? '\0' : descriptor[0];
  const std::string_view code = std::string_view(descriptor).substr(descriptor.empty() ? 0 : 1);
  if (code.starts_with('O'))
    return bad(location, "holds Python objects, which are never loaded",
               "save an array of numbers: numpy.save(file, a.astype(\"float32\"))");
  if (code.starts_with('S') || code.starts_with('U') || code.starts_with('a'))
    return bad(location, "holds text", "save numbers; of classes, their indices from 0");
  const std::optional<NumberType> type = number_type_of(code);
  if (!type || std::string_view("<>=|").find(order) == std::string_view::npos)
    return bad(location, "holds values of type \"" + printable(descriptor.substr(0, 20)) + "\"",
               "save them as real numbers, for example a.astype(\"float32\")");
  out.type = *type;
  if (order == '<') out.byte_order = std::endian::little;
  if (order == '>') out.byte_order = std::endian::big;
  return {};
}

Result<void> read_dict(std::string_view text, const std::string& location, NpyHeader& out) {
  const auto damaged = [&] { return bad(location, "has a header that is not NumPy's", write_hint); };
  const std::optional<PythonDict> dict = parse_python_dict(text);
  if (!dict || dict->size() != 3 || !dict->contains("descr") || !dict->contains("fortran_order") ||
      !dict->contains("shape"))
    return damaged();
  const PythonValue& type = dict->find("descr")->second;
  const auto* fortran = std::get_if<bool>(&dict->find("fortran_order")->second);
  const auto* shape = std::get_if<std::vector<std::uint64_t>>(&dict->find("shape")->second);
  if (std::holds_alternative<PythonList>(type))
    return bad(location, "holds records of several fields",
               "save each field as an array of its own: numpy.savez(file, x=a[\"x\"], y=a[\"y\"])");
  const auto* descriptor = std::get_if<std::string>(&type);
  if (descriptor == nullptr || fortran == nullptr || shape == nullptr || shape->size() > dimensions_max)
    return damaged();
  HANSA_TRY_VOID(read_type(*descriptor, location, out));
  out.order = *fortran ? ValueOrder::fortran : ValueOrder::c;
  out.shape = *shape;
  return {};
}

}  // namespace

bool is_npy(std::span<const std::byte> start) { return text_of(start).starts_with(magic); }

Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_bytes,
                                   const std::string& location) {
  const std::string_view text = text_of(start);
  // Pickles of protocol 2 and newer begin with these bytes.
  if (text.size() >= 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5)
    return bad(location, "is a pickle, which is never loaded", write_hint);
  if (!is_npy(start)) return bad(location, "is not an .npy file", write_hint);
  const std::optional<Place> dict = find_dict(text);
  if (!dict) return bad(location, "ends inside its header, or has a version other than 1 to 3", write_hint);
  if (dict->size > npy_header_bytes_max - dict->begin)
    return bad(location, "has a header of " + std::to_string(dict->size) + " bytes", write_hint);
  if (dict->begin + dict->size > text.size())
    return bad(location, "ends inside its header", "fetch or copy the file again");
  NpyHeader out;
  HANSA_TRY_VOID(read_dict(text.substr(dict->begin, dict->size), location, out));
  out.bytes = dict->begin + dict->size;
  const std::optional<std::uint64_t> value_bytes = array_bytes(out.type, out.shape);
  if (!value_bytes || *value_bytes > file_bytes - out.bytes)
    return bad(location, "ends inside its values", "fetch or copy the file again");
  if (*value_bytes < file_bytes - out.bytes)
    return bad(location, "has more bytes than its header announces", "save one array in the file");
  out.value_bytes = *value_bytes;
  return out;
}

}  // namespace hansa::learning::kinds
