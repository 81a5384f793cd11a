#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>

#include <turbojpeg.h>

#include "learning/data/kinds/images/formats.h"

namespace hansa::learning::kinds {
namespace {

struct Destroy {
  void operator()(void* decoder) const { ::tjDestroy(decoder); }
};
using Decoder = std::unique_ptr<std::remove_pointer_t<tjhandle>, Destroy>;

// libjpeg warns of bytes between segments, which some cameras write before the first scan and which harm nothing: then the
// header has the same warning. Every other warning is of damaged pixels.
std::string warning_of(int result, tjhandle decoder) {
  return result == 0 ? std::string() : ::tjGetErrorStr2(decoder);
}

// Print shops store cyan, magenta, yellow and black, inverted.
std::vector<std::uint8_t> rgb_of_cmyk(const std::vector<std::uint8_t>& cmyk) {
  std::vector<std::uint8_t> out;
  out.reserve(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i < cmyk.size(); i += 4)
    for (std::size_t c = 0; c < 3; ++c)
      out.push_back(static_cast<std::uint8_t>((cmyk[i + c] * cmyk[i + 3] + 127) / 255));
  return out;
}

}  // namespace

Result<Pixels> decode_jpeg(std::span<const std::byte> file, std::size_t side_min,
                           const std::string& location) {
  const Decoder decoder(::tjInitDecompress());
  if (!decoder) return fail(ErrorCode::resource, location, "cannot be decoded: no memory is left");
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  int width = 0, height = 0, subsampling = 0, colors = 0;
  const int header =
      ::tjDecompressHeader3(decoder.get(), bytes, file.size(), &width, &height, &subsampling, &colors);
  const std::string warning = warning_of(header, decoder.get());
  const bool ends_early = warning.find("remature end") != std::string::npos;
  if (header != 0 && (ends_early || ::tjGetErrorCode(decoder.get()) == TJERR_FATAL))
    return damaged_image(location, warning);
  HANSA_TRY_VOID(check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), location));
  int divisor = 1;
  while (divisor < 8 && static_cast<std::size_t>(std::min(width, height)) >= 4 * side_min * divisor)
    divisor *= 2;
  const tjscalingfactor factor{1, divisor};
  width = TJSCALED(width, factor);
  height = TJSCALED(height, factor);
  const bool is_cmyk = colors == TJCS_CMYK || colors == TJCS_YCCK;
  const std::size_t channels = is_cmyk ? 4 : 3;
  Pixels out{static_cast<std::size_t>(width), static_cast<std::size_t>(height), 3, {}};
  out.values.resize(out.width * out.height * channels);
  const int decoded = ::tjDecompress2(decoder.get(), bytes, file.size(), out.values.data(), width, 0, height,
                                      is_cmyk ? TJPF_CMYK : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (decoded != 0 &&
      (::tjGetErrorCode(decoder.get()) == TJERR_FATAL || warning_of(decoded, decoder.get()) != warning))
    return damaged_image(location, warning_of(decoded, decoder.get()));
  if (is_cmyk) out.values = rgb_of_cmyk(out.values);
  return out;
}

}  // namespace hansa::learning::kinds
