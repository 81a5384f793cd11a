// hansa-dicom-decode FILE OPTIONS LABEL: decodes all images of data.file to descriptor 3 (decoded.h). The plugin starts
// it. Exit code 0: the result is there; 1: its text says what is wrong.
//
// A process of its own, because the headers of DICOM files name patients: with it, they are never in the memory of the
// process that runs a model's code. A file that makes the decoder crash, or allocate or compute without end, is an error
// that names the file.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "decoded.h"
#include "dicom_file.h"
#include "image_list.h"
#include "options.h"

namespace hansa_dicom {
namespace {

constexpr unsigned seconds_a_file_max = 300;
constexpr rlim_t address_space_max =
    static_cast<rlim_t>(std::min<std::uint64_t>(std::uint64_t{4} << 30, std::numeric_limits<long>::max()));

void write_all(const void* data, std::size_t bytes, off_t offset) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(result_descriptor, from, bytes, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw Failure(std::string("the decoded images cannot be stored: ") + std::strerror(errno));
    from += written;
    offset += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void write_header(Header& header, Progress progress, std::string text) {
  // The end of a long path says more than its beginning.
  constexpr std::size_t most = sizeof(header.text) - 1;
  if (text.size() > most) text = "..." + text.substr(text.size() - (most - 3));
  header.progress = progress;
  std::memset(header.text, 0, sizeof(header.text));
  std::memcpy(header.text, text.data(), text.size());
  write_all(&header, sizeof(header), 0);
}

void decode_all(const char* file, const char* options_text, const char* label, Header& header) {
  const Options options = read_options(options_text);
  const std::vector<Image> images = list_images(file, label, options);
  const std::uint64_t image_bytes = std::uint64_t{options.size} * options.size * options.bytes_a_pixel;
  if (images.size() > pixel_bytes_max / image_bytes)
    throw Failure(
        std::string(file) + ": " + std::to_string(images.size()) +
        " images of this size need more than 4 GiB; set a smaller size, or depth=8, in data.options");
  header.examples = images.size();
  header.size = options.size;
  header.bytes_a_pixel = options.bytes_a_pixel;
  header.classes = static_cast<std::uint32_t>(options.classes.size());

  std::vector<std::uint32_t> labels;
  labels.reserve(images.size());
  for (const Image& image : images) labels.push_back(image.label);
  const std::uint64_t label_bytes = labels.size() * sizeof(labels[0]);
  write_all(labels.data(), label_bytes, sizeof(Header));

  prepare_dcmtk();
  std::vector<std::byte> pixels;
  for (std::size_t i = 0; i < images.size(); ++i) {
    write_header(header, Progress::decoding, images[i].path);
    ::alarm(seconds_a_file_max);
    try {
      decode(images[i].path, options, pixels);
    } catch (const std::bad_alloc&) {
      throw Failure(images[i].path + ": needs more than 4 GiB of memory; it is damaged");
    }
    write_all(pixels.data(), pixels.size(),
              static_cast<off_t>(sizeof(Header) + label_bytes + i * image_bytes));
  }
  ::alarm(0);
  write_header(header, Progress::finished, "");
}

}  // namespace
}  // namespace hansa_dicom

int main(int argc, char** argv) {
  using namespace hansa_dicom;
  Header header{};
  header.magic = magic;
  try {
    if (argc != 4) throw Failure("usage: hansa-dicom-decode FILE OPTIONS LABEL");
    // The plugin's process may be killed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};  // a core dump would contain patients' data
    const rlimit space{address_space_max, address_space_max};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::setrlimit(RLIMIT_AS, &space) != 0)
      throw Failure("the decoder's memory cannot be limited");
    decode_all(argv[1], argv[2], argv[3], header);
    return 0;
  } catch (const std::exception& failure) {
    try {
      write_header(header, Progress::failed, failure.what());
    } catch (const std::exception&) {
      return 2;
    }
    return 1;
  }
}
