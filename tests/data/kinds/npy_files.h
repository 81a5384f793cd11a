// Files of NumPy, byte by byte.
#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace hansa::learning::testing {

using Bytes = std::vector<std::uint8_t>;

// The bytes of these values in this machine's byte order.
template <class T>
[[nodiscard]] Bytes bytes_of_values(const std::vector<T>& values) {
  Bytes out(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

struct NpyText {
  std::string descriptor;
  std::string shape;  // "(3, 4)"
  std::string fortran_order = "False";
  std::uint8_t version = 1;
};
// An .npy file of these values, whose header is padded as NumPy pads it.
[[nodiscard]] Bytes npy_bytes(const NpyText& text, const Bytes& values);
// The same with any text of the dict.
[[nodiscard]] Bytes npy_bytes_with_dict(std::string dict, const Bytes& values, std::uint8_t version = 1);

enum class Compression { stored, deflated, bzip2 };
struct ZipEntry {
  std::string name;
  Bytes bytes;
};
void write_zip(const std::filesystem::path& path, const std::vector<ZipEntry>& entries,
               Compression compression = Compression::stored);

}  // namespace hansa::learning::testing
