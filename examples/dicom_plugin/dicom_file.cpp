#include "dicom_file.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmimgle/dcmimage.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

namespace hansa_dicom {
namespace {

constexpr std::uintmax_t file_bytes_max = std::uintmax_t{256} << 20;
constexpr std::uint64_t pixels_max = 100'000'000;
constexpr double aspect_max = 16;  // of a pixel
// pbmplus: a pixel of a smaller image is the mean of the area that it covers.
constexpr int interpolation = 1;

using ImagePointer = std::unique_ptr<DicomImage>;

std::uint16_t required(DcmDataset& data, const DcmTagKey& tag, const std::string& path, const char* name) {
  Uint16 value = 0;
  if (data.findAndGetUint16(tag, value).bad() || value == 0)
    throw Failure(path + ": has no " + name + "; it is no image, or damaged");
  return value;
}

std::string text_of(DcmDataset& data, const DcmTagKey& tag) {
  OFString value;
  return data.findAndGetOFString(tag, value).good() ? value.c_str() : "";
}

// Returns the bytes that the pixels need.
std::uint64_t check_header(DcmDataset& data, const Options& options, const std::string& path) {
  if (!data.tagExists(DCM_PixelData)) throw Failure(path + ": has no pixel data; it is no image");
  const std::uint64_t rows = required(data, DCM_Rows, path, "Rows");
  const std::uint64_t columns = required(data, DCM_Columns, path, "Columns");
  if (rows * columns > pixels_max) throw Failure(path + ": has more than 100 million pixels");
  if (required(data, DCM_SamplesPerPixel, path, "Samples per Pixel") != 1)
    throw Failure(path + ": is a colour image; only MONOCHROME1 and MONOCHROME2 are read");
  const std::string interpretation = text_of(data, DCM_PhotometricInterpretation);
  if (interpretation != "MONOCHROME1" && interpretation != "MONOCHROME2")
    throw Failure(path + ": its photometric interpretation is neither MONOCHROME1 nor MONOCHROME2");
  Sint32 frames = 1;
  if (data.tagExistsWithValue(DCM_NumberOfFrames) && data.findAndGetSint32(DCM_NumberOfFrames, frames).bad())
    frames = 0;
  if (frames != 1)
    throw Failure(path + ": has " + std::to_string(frames) + " frames; only single-frame images are read");
  const std::uint16_t allocated = required(data, DCM_BitsAllocated, path, "Bits Allocated");
  const std::uint16_t stored = required(data, DCM_BitsStored, path, "Bits Stored");
  if ((allocated != 8 && allocated != 16) || stored > allocated)
    throw Failure(path + ": stores " + std::to_string(stored) + " bits in " + std::to_string(allocated) +
                  "; only 8 and 16 bits are read");
  if (options.burned_in == BurnedIn::refuse && text_of(data, DCM_BurnedInAnnotation) == "YES")
    throw Failure(
        path +
        ": Burned In Annotation is YES: its pixels may show the patient's name; remove the text, or set "
        "burned_in=accept in data.options");
  return rows * columns * allocated / 8;
}

void decompress(DcmDataset& data, std::uint64_t bytes, const std::string& path) {
  const DcmXfer syntax(data.getOriginalXfer());
  // Does nothing if the pixels are not compressed.
  if (data.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad())
    throw Failure(path + ": its pixels (" + syntax.getXferName() +
                  ") are damaged or of a form without a decoder; JPEG, JPEG-LS and RLE are decoded");
  DcmElement* pixels = nullptr;
  // DCMTK would replace missing pixels by zeros.
  if (data.findAndGetElement(DCM_PixelData, pixels).bad() || pixels->getLength() < bytes)
    throw Failure(path + ": has fewer pixels than Rows x Columns; the file is damaged");
}

ImagePointer checked(DicomImage* image, const std::string& path, const char* what) {
  ImagePointer out(image);
  if (!out || out->getStatus() != EIS_Normal) {
    // A text of DCMTK, without values.
    throw Failure(path + ": " + what +
                  (out ? std::string(": ") + DicomImage::getString(out->getStatus()) : ""));
  }
  return out;
}

struct Extent {
  unsigned long width;
  unsigned long height;
};

unsigned long limited(double value, unsigned long most) {
  return std::clamp(static_cast<unsigned long>(std::lround(value)), 1UL, most);
}

ImagePointer scaled(const DicomImage& image, Extent extent, const std::string& path) {
  return checked(image.createScaledImage(extent.width, extent.height, interpolation), path,
                 "cannot be resized");
}

// Pixels that are not square (Pixel Spacing, Pixel Aspect Ratio) become square.
ImagePointer fitted(const DicomImage& image, const Options& options, const std::string& path) {
  const double aspect = image.getHeightWidthRatio();
  if (!(aspect >= 1 / aspect_max && aspect <= aspect_max))
    throw Failure(path + ": the aspect ratio of its pixels is not between 1:16 and 16:1");
  const unsigned long columns = image.getWidth();
  const unsigned long rows = image.getHeight();
  const double width = static_cast<double>(columns);
  const double height = static_cast<double>(rows) * aspect;
  const unsigned long size = options.size;
  if (options.fit == Fit::pad) {
    const double scale = static_cast<double>(size) / std::max(width, height);
    return scaled(image, {limited(width * scale, size), limited(height * scale, size)}, path);
  }
  const double side = std::min(width, height);
  const Extent square{limited(side, columns), limited(side / aspect, rows)};
  const ImagePointer middle = checked(
      image.createClippedImage(static_cast<long>((columns - square.width) / 2),
                               static_cast<long>((rows - square.height) / 2), square.width, square.height),
      path, "cannot be cropped");
  return scaled(*middle, {size, size}, path);
}

void set_window(DicomImage& image, const Options& options, const std::string& path) {
  switch (options.window) {
    case Window::given:
      if (image.setWindow(options.centre, options.width) == 0)
        throw Failure(path + ": the window cannot be applied");
      return;
    case Window::of_file:
      if (image.setWindow(0) == 0)
        throw Failure(path +
                      ": has no valid window; set window=CENTRE,WIDTH or window=min-max in data.options");
      return;
    case Window::min_max:
      if (image.setMinMaxWindow(0) == 0) throw Failure(path + ": all its pixels have one value");
      return;
  }
}

// Copies the image to the middle of a black square.
void render(DicomImage& image, const Options& options, const std::string& path, std::vector<std::byte>& out) {
  const std::size_t size = options.size;
  const std::size_t bytes = options.bytes_a_pixel;
  const std::size_t width = image.getWidth();
  const std::size_t height = image.getHeight();
  if (width > size || height > size) throw Failure(path + ": cannot be resized");
  std::vector<std::byte> pixels(width * height * bytes);
  if (image.getOutputDataSize(static_cast<int>(bytes * 8)) != pixels.size() ||
      image.getOutputData(pixels.data(), pixels.size(), static_cast<int>(bytes * 8)) == 0)
    throw Failure(path + ": its pixels cannot be computed");
  out.assign(size * size * bytes, std::byte{0});
  for (std::size_t row = 0; row < height; ++row)
    std::memcpy(out.data() + ((row + (size - height) / 2) * size + (size - width) / 2) * bytes,
                pixels.data() + row * width * bytes, width * bytes);
}

}  // namespace

void prepare_dcmtk() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
  DJDecoderRegistration::registerCodecs();
  DJLSDecoderRegistration::registerCodecs();
  DcmRLEDecoderRegistration::registerCodecs();
  if (!dcmDataDict.isDictionaryLoaded())
    throw Failure(
        "DCMTK's dictionary cannot be read; install it, or name it in the environment variable DCMDICTPATH");
}

void decode(const std::string& path, const Options& options, std::vector<std::byte>& out) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Failure(path + ": is no file, or may not be read");
  if (std::filesystem::file_size(path, error) > file_bytes_max)
    throw Failure(path + ": is larger than 256 MiB");
  DcmFileFormat file;
  const OFCondition loaded =
      file.loadFile(path.c_str(), EXS_Unknown, EGL_noChange, DCM_MaxReadLength, ERM_fileOnly);
  if (loaded.bad()) {
    // Some texts of DCMTK have a tag in parentheses, which in a damaged file are bytes of a value.
    const std::string_view text = loaded.text();
    throw Failure(path + ": is damaged or no DICOM file (" +
                  std::string(trimmed(text.substr(0, text.find('(')))) + ")");
  }
  DcmDataset& data = *file.getDataset();
  const std::uint64_t bytes = check_header(data, options, path);
  decompress(data, bytes, path);
  const ImagePointer image =
      checked(new DicomImage(&data, data.getCurrentXfer(), CIF_NeverAccessEmbeddedOverlays, 0, 1), path,
              "is no image that can be read");
  if (!image->isMonochrome())
    throw Failure(path + ": is a colour image; only MONOCHROME1 and MONOCHROME2 are read");
  image->hideAllOverlays();
  const ImagePointer small = fitted(*image, options, path);
  set_window(*small, options, path);
  render(*small, options, path, out);
}

}  // namespace hansa_dicom
