#include <csetjmp>
#include <cstring>
#include <utility>

#include <png.h>

#include "learning/data/kinds/images/formats.h"
#include "learning/data/kinds/images/orientation.h"

namespace hansa::learning::kinds {
namespace {

// Everything that must outlive a longjmp of libpng.
struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_infop end = nullptr;  // of the chunks behind the pixels
  std::span<const std::byte> rest;
  std::string problem;
  std::vector<png_bytep> rows;

  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { ::png_destroy_read_struct(&png, &info, &end); }
};

void take(png_structp png, png_bytep out, png_size_t bytes) {
  auto& reader = *static_cast<Reader*>(::png_get_io_ptr(png));
  if (bytes > reader.rest.size()) ::png_error(png, "it ends too early");
  std::memcpy(out, reader.rest.data(), bytes);
  reader.rest = reader.rest.subspan(bytes);
}

[[noreturn]] void give_up(png_structp png, png_const_charp text) {
  static_cast<Reader*>(::png_get_error_ptr(png))->problem = text;
  ::png_longjmp(png, 1);
}
void ignore(png_structp, png_const_charp) {}

// These two call no C++ code that must be cleaned up, because libpng leaves them by longjmp.
bool read_header(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  ::png_set_read_fn(reader.png, &reader, &take);
  ::png_read_info(reader.png, reader.info);
  ::png_set_expand(reader.png);  // palettes and few bits to 8
  ::png_set_scale_16(reader.png);
  ::png_set_strip_alpha(reader.png);
  ::png_set_gray_to_rgb(reader.png);
  ::png_set_interlace_handling(reader.png);
  ::png_read_update_info(reader.png, reader.info);
  return true;
}
bool read_rows(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  ::png_read_image(reader.png, reader.rows.data());
  ::png_read_end(reader.png, reader.end);
  return true;
}

// The eXIf chunk may be before the pixels or behind them.
int orientation_of(const Reader& reader) {
#ifdef PNG_eXIf_SUPPORTED
  for (const png_infop info : {reader.info, reader.end}) {
    png_uint_32 bytes = 0;
    png_bytep block = nullptr;
    if (::png_get_eXIf_1(reader.png, info, &bytes, &block) != 0 && block != nullptr)
      return exif_orientation(std::as_bytes(std::span(block, bytes)));
  }
#endif
  return 1;
}

}  // namespace

Result<Pixels> decode_png(std::span<const std::byte> file, const std::string& location) {
  Reader reader;
  reader.rest = file;
  reader.png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, &give_up, &ignore);
  if (reader.png != nullptr) reader.info = ::png_create_info_struct(reader.png);
  if (reader.info != nullptr) reader.end = ::png_create_info_struct(reader.png);
  if (reader.end == nullptr)
    return fail(ErrorCode::resource, location, "cannot be decoded: no memory is left");
  if (!read_header(reader)) return damaged_image(location, reader.problem);
  const std::size_t width = ::png_get_image_width(reader.png, reader.info);
  const std::size_t height = ::png_get_image_height(reader.png, reader.info);
  HANSA_TRY_VOID(check_size(width, height, location));
  if (::png_get_rowbytes(reader.png, reader.info) != width * 3)
    return damaged_image(location, "its rows do not have three channels");
  Pixels out{width, height, 3, {}};
  out.values.resize(width * height * 3);
  for (std::size_t y = 0; y < height; ++y) reader.rows.push_back(out.values.data() + y * width * 3);
  if (!read_rows(reader)) return damaged_image(location, reader.problem);
  return turned(std::move(out), orientation_of(reader));
}

}  // namespace hansa::learning::kinds
