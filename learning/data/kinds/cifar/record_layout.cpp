#include "learning/data/kinds/cifar/record_layout.h"

#include <algorithm>
#include <string>
#include <vector>

#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::kinds {
namespace {

using internal::ByteStream;

constexpr const char* binary_version =
    "name a .bin file of the \"binary version\" of CIFAR-10 or CIFAR-100, unpacked";

Result<bool> all_labels_are_classes(const std::filesystem::path& file, std::uint64_t bytes,
                                    const CifarLayout& layout) {
  HANSA_TRY(ByteStream stream, ByteStream::open(file, binary_version));
  std::vector<std::uint8_t> record(layout.record_bytes());
  for (std::uint64_t i = 0; i < bytes / record.size(); ++i) {
    HANSA_TRY_VOID(stream.read(record, "records"));
    for (std::size_t label = 0; label < layout.labels; ++label)
      if (record[label] >= layout.class_counts.at(label)) return false;
  }
  return true;
}

}  // namespace

Result<CifarLayout> find_cifar_layout(const std::filesystem::path& file) {
  HANSA_TRY(const ByteStream stream, ByteStream::open(file, binary_version));
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(file, error);
  if (error) return stream.bad("cannot be read", "copy it to a local disk", ReasonCode::data_unreadable);
  if (bytes == 0)
    return stream.bad("holds no example", "give this client a file with examples",
                      ReasonCode::too_few_examples);
  const bool fits_10 = bytes % cifar_10.record_bytes() == 0;
  const bool fits_100 = bytes % cifar_100.record_bytes() == 0;
  if (!fits_10 && !fits_100)
    return stream.bad(
        "has " + std::to_string(bytes) +
            " bytes, which are not whole records of 3,073 (CIFAR-10) or 3,074 bytes (CIFAR-100)",
        binary_version);
  if (fits_10 != fits_100) return fits_10 ? cifar_10 : cifar_100;
  HANSA_TRY(const bool is_10, all_labels_are_classes(file, bytes, cifar_10));
  HANSA_TRY(const bool is_100, all_labels_are_classes(file, bytes, cifar_100));
  if (is_10 == is_100)
    return stream.bad("may be of CIFAR-10 or of CIFAR-100: its size and its labels do not decide",
                      "remove the last record");
  return is_10 ? cifar_10 : cifar_100;
}

}  // namespace hansa::learning::kinds
