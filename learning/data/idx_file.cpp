#include "learning/data/idx_file.h"

#include <cassert>
#include <string>
#include <utility>

#include "common/files.h"
#include "learning/data/idx_labels.h"
#include "learning/data/internal/idx_stream.h"

namespace hansa::learning {
namespace {

using internal::IdxHeader;
using internal::IdxType;

Result<void> check_images(const internal::ByteStream& stream, const IdxHeader& header) {
  if (header.type != IdxType::unsigned_byte)
    return stream.bad("holds values that are not unsigned bytes",
                      "name an idx file of bytes (type 0x08); images of other types can have kind \"npy\"");
  if (header.dimensions.size() == 3) return {};
  const char* hint = "images are idx3 files: images x rows x columns";
  if (header.dimensions.size() == 1) hint = "images are idx3 files, labels idx1; the two may be swapped";
  if (header.dimensions.size() == 4)
    hint = "images have one channel; colour images can have kind \"npy\", \"images\" or \"cifar\"";
  return stream.bad("has " + std::to_string(header.dimensions.size()) + " dimensions, but images have 3",
                    hint);
}

}  // namespace

std::size_t IdxArray::example_size() const {
  if (dimensions.empty()) return 0;
  return static_cast<std::size_t>(internal::idx_value_count(std::span(dimensions).subspan(1)));
}

std::span<const std::uint8_t> IdxArray::example(std::size_t index) const {
  assert(index < example_count());
  return std::span(values).subspan(index * example_size(), example_size());
}

Result<IdxArray> read_idx_images(const std::filesystem::path& path, std::uint64_t examples_max) {
  HANSA_TRY(internal::ByteStream stream,
            internal::ByteStream::open(path,
                                       "name an idx file, plain or .gz; Fashion-MNIST is in Debian's package "
                                       "dataset-fashion-mnist"));
  HANSA_TRY(IdxHeader header, internal::read_idx_header(stream));
  HANSA_TRY_VOID(check_images(stream, header));
  HANSA_TRY(std::vector<std::uint8_t> values, internal::read_idx_values(stream, header, examples_max));
  return IdxArray{std::move(header.dimensions), std::move(values)};
}

Result<IdxExamples> read_idx_examples(const IdxPairFiles& files, std::uint64_t examples_max) {
  IdxExamples out;
  HANSA_TRY(out.images, read_idx_images(files.images, examples_max));
  HANSA_TRY(out.labels, read_idx_labels(files.labels, examples_max));
  if (out.images.example_count() != out.labels.size())
    return fail(ErrorCode::data, files.labels.string(),
                "has " + std::to_string(out.labels.size()) + " labels for " +
                    std::to_string(out.images.example_count()) + " images in " + files.images.string(),
                "set data.labels to the labels of these images", {ReasonCode::data_damaged, {}});
  return out;
}

Result<IdxPair> read_idx_pair(const IdxPairFiles& files, std::uint64_t examples_max) {
  HANSA_TRY(IdxExamples examples, read_idx_examples(files, examples_max));
  IdxPair out{std::move(examples.images), {{static_cast<std::uint32_t>(examples.labels.size())}, {}}};
  out.labels.values.reserve(examples.labels.size());
  for (const std::int32_t label : examples.labels) {
    if (label < 0 || label > 255)
      return fail(ErrorCode::data, files.labels.string(),
                  "has the label " + std::to_string(label) + ", which is no byte",
                  "labels are from 0 to 255 here", {ReasonCode::data_damaged, {}});
    out.labels.values.push_back(static_cast<std::uint8_t>(label));
  }
  return out;
}

Result<void> write_idx(const std::filesystem::path& path, const IdxArray& array) {
  assert(internal::idx_value_count(array.dimensions) == array.values.size());
  std::vector<std::byte> bytes;
  bytes.reserve(4 + 4 * array.dimensions.size() + array.values.size());
  for (const std::uint8_t value :
       {std::uint8_t{0}, std::uint8_t{0}, static_cast<std::uint8_t>(IdxType::unsigned_byte),
        static_cast<std::uint8_t>(array.dimensions.size())})
    bytes.push_back(std::byte{value});
  for (const std::uint32_t dimension : array.dimensions)
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(dimension >> shift & 0xff));
  const auto values = std::as_bytes(std::span(array.values));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return write_file_atomically(path, bytes);
}

}  // namespace hansa::learning
