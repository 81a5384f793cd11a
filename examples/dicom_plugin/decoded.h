// What hansa-dicom-decode writes and libhansa_dicom.so reads, in a file in memory: Header, then a std::uint32_t with the
// label of each example, then the pixels of each example, size x size, 1 or 2 bytes each, in this machine's byte order.
#pragma once
#include <cstdint>

namespace hansa_dicom {

inline constexpr int result_descriptor = 3;  // of the decoder
inline constexpr std::uint32_t magic = 0x31434944;
inline constexpr std::uint32_t size_max = 2048;
inline constexpr std::uint32_t classes_max = 10'000;
inline constexpr std::uint64_t examples_max = 4'000'000;
inline constexpr std::uint64_t pixel_bytes_max = std::uint64_t{4} << 30;

enum class Progress : std::uint32_t {
  decoding,  // text: the file that is being decoded
  failed,  // text: the file and what is wrong
  finished,
};

struct Header {
  std::uint32_t magic;
  Progress progress;
  std::uint64_t examples;
  std::uint32_t size;  // 1 to size_max
  std::uint32_t bytes_a_pixel;  // 1 or 2
  std::uint32_t classes;  // 1 to classes_max
  std::uint32_t reserved;
  char text[480];  // with a final zero
};
static_assert(sizeof(Header) == 512);

}  // namespace hansa_dicom
