#include "learning/data/idx_labels.h"

#include <span>
#include <string>

#include "learning/data/example_shape.h"
#include "learning/data/idx_file.h"
#include "learning/data/internal/idx_stream.h"

namespace hansa::learning {
namespace {

using internal::IdxHeader;
using internal::IdxType;

constexpr std::size_t qmnist_columns = 8;

// Values of a label: the first is the class.
Result<std::size_t> columns_of(const internal::ByteStream& stream, const IdxHeader& header) {
  const std::size_t rank = header.dimensions.size();
  if (rank == 1) return 1;
  if (rank != 2)
    return stream.bad("has " + std::to_string(rank) + " dimensions, but labels have 1",
                      "images are idx3 files, labels idx1; the two may be swapped");
  const std::uint32_t columns = header.dimensions[1];
  if (columns == 1 || (columns == qmnist_columns && header.type == IdxType::integer)) return columns;
  return stream.bad("has " + std::to_string(columns) + " values for each label",
                    "write one class for each image, as an idx1 file");
}

Result<void> check_type(const internal::ByteStream& stream, IdxType type) {
  if (type != IdxType::single_precision && type != IdxType::double_precision) return {};
  return stream.bad("holds labels that are not integers",
                    "write them as integers from 0, for example as bytes");
}

std::int32_t integer_at(std::span<const std::uint8_t> bytes, IdxType type) {
  switch (type) {
    case IdxType::unsigned_byte: return bytes[0];
    case IdxType::signed_byte: return static_cast<std::int8_t>(bytes[0]);
    case IdxType::short_integer: return static_cast<std::int16_t>(bytes[0] << 8 | bytes[1]);
    default: break;
  }
  return static_cast<std::int32_t>(std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                                   std::uint32_t{bytes[2]} << 8 | bytes[3]);
}

}  // namespace

Result<std::vector<std::int32_t>> read_idx_labels(const std::filesystem::path& path,
                                                  std::uint64_t examples_max) {
  HANSA_TRY(internal::ByteStream stream,
            internal::ByteStream::open(path, "name an idx file of labels, plain or .gz"));
  HANSA_TRY(IdxHeader header, internal::read_idx_header(stream));
  HANSA_TRY_VOID(check_type(stream, header.type));
  HANSA_TRY(const std::size_t columns, columns_of(stream, header));
  HANSA_TRY(const std::vector<std::uint8_t> values, internal::read_idx_values(stream, header, examples_max));
  const std::size_t row_bytes = columns * internal::bytes_of(header.type);
  std::vector<std::int32_t> out(values.size() / row_bytes);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = integer_at(std::span(values).subspan(i * row_bytes), header.type);
    if (out[i] < 0 && out[i] != ignored_label)
      return fail(ErrorCode::data, path.string() + ": example " + std::to_string(i),
                  "has the label " + std::to_string(out[i]),
                  "labels are integers from 0; -100 is a place that does not count",
                  {ReasonCode::example_invalid, {{Quantity::example, i}}});
  }
  return out;
}

}  // namespace hansa::learning
