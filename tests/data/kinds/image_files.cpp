#include "tests/data/kinds/image_files.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

namespace hansa::learning::testing {
namespace {

std::string jpeg_of(const std::uint8_t* values, std::size_t width, std::size_t height, int format,
                    int subsampling) {
  tjhandle encoder = ::tjInitCompress();
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
  const int done = ::tjCompress2(encoder, values, static_cast<int>(width), 0, static_cast<int>(height),
                                 format, &out, &bytes, subsampling, 95, TJFLAG_ACCURATEDCT);
  std::string jpeg(reinterpret_cast<const char*>(out), done == 0 ? bytes : 0);
  ::tjFree(out);
  ::tjDestroy(encoder);
  if (done != 0) throw std::runtime_error("tjCompress2");
  return jpeg;
}

// One TIFF entry.
std::string tiff_of(int orientation) {
  using namespace std::string_literals;
  std::string tiff = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s;
  tiff += static_cast<char>(orientation);
  return tiff + "\0\0\0\0\0\0\0"s;
}

// An APP1 segment.
std::string exif_of(int orientation) {
  using namespace std::string_literals;
  const std::string body = "Exif\0\0"s + tiff_of(orientation);
  const std::size_t length = body.size() + 2;
  return "\xFF\xE1"s + static_cast<char>(length >> 8U) + static_cast<char>(length & 0xFFU) + body;
}

void write(png_image image, const std::filesystem::path& path, const void* values) {
  if (::png_image_write_to_file(&image, path.c_str(), 0, values, 0, nullptr) == 0)
    throw std::runtime_error(image.message);
}

}  // namespace

kinds::Pixels pattern(std::size_t width, std::size_t height) {
  kinds::Pixels out{width, height, 3, {}};
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < 3; ++c)
        out.values.push_back(static_cast<std::uint8_t>(37 * x + 71 * y + 11 * c + 5 * x * y));
  return out;
}

kinds::Pixels plain(std::size_t width, std::size_t height, std::vector<std::uint8_t> color) {
  kinds::Pixels out{width, height, color.size(), {}};
  for (std::size_t i = 0; i < width * height; ++i)
    out.values.insert(out.values.end(), color.begin(), color.end());
  return out;
}

void write_png(const std::filesystem::path& path, const kinds::Pixels& image) {
  png_image out{};
  out.version = PNG_IMAGE_VERSION;
  out.width = static_cast<png_uint_32>(image.width);
  out.height = static_cast<png_uint_32>(image.height);
  out.format = image.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  write(out, path, image.values.data());
}

void add_png_orientation(const std::filesystem::path& path, int orientation, ExifPlace place) {
  const auto big_endian = [](std::uint32_t number) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xFFU);
    return out;
  };
  const std::string tiff = tiff_of(orientation);
  const std::string body = "eXIf" + tiff;
  const auto checksum = static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const unsigned char*>(body.data()), static_cast<unsigned>(body.size())));
  const std::string chunk = big_endian(static_cast<std::uint32_t>(tiff.size())) + body + big_endian(checksum);
  std::string png = bytes_of_file(path);
  constexpr std::size_t end_bytes = 12, header_end = 33;
  png.insert(place == ExifPlace::before_pixels ? header_end : png.size() - end_bytes, chunk);
  write_bytes(path, png);
}

void write_deep_png(const std::filesystem::path& path, std::size_t side, std::vector<std::uint16_t> color) {
  FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::runtime_error(path.string());
  png_structp png = ::png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = ::png_create_info_struct(png);
  ::png_init_io(png, file);
  const auto size = static_cast<png_uint_32>(side);
  ::png_set_IHDR(png, info, size, size, 16, PNG_COLOR_TYPE_RGB_ALPHA, PNG_INTERLACE_ADAM7,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  ::png_write_info(png, info);
  std::vector<std::uint8_t> row;
  for (std::size_t x = 0; x < side; ++x)
    for (const std::uint16_t value : color) {
      row.push_back(static_cast<std::uint8_t>(value >> 8U));
      row.push_back(static_cast<std::uint8_t>(value & 0xFFU));
    }
  std::vector<png_bytep> rows(side, row.data());
  ::png_write_image(png, rows.data());
  ::png_write_end(png, nullptr);
  ::png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

void write_jpeg(const std::filesystem::path& path, const kinds::Pixels& image, int orientation) {
  std::string jpeg = jpeg_of(image.values.data(), image.width, image.height, TJPF_RGB, TJSAMP_444);
  if (orientation > 0) jpeg.insert(2, exif_of(orientation));
  write_bytes(path, jpeg);
}

void write_cmyk_jpeg(const std::filesystem::path& path, std::size_t side, std::vector<std::uint8_t> cmyk) {
  const kinds::Pixels image = plain(side, side, std::move(cmyk));
  write_bytes(path, jpeg_of(image.values.data(), side, side, TJPF_CMYK, TJSAMP_444));
}

std::string bytes_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace hansa::learning::testing
