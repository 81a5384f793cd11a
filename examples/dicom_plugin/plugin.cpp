// libhansa_dicom.so, the kind of data "dicom": single-frame monochrome DICOM images with a class label.
//
// open() starts hansa-dicom-decode, from the folder of this library, and waits for its result: a file in memory with all
// images at the size of the model. read() copies from it. So nothing is opened after the trainer has locked itself
// (docs/sandbox.md), and neither DCMTK nor the header of a DICOM file is ever in the trainer's process.
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <csignal>
#include <memory>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoded.h"
#include "learning/data/plugin.h"

extern char** environ;

namespace {

using hansa_dicom::Header;
using hansa_dicom::Progress;

constexpr const char* decoder_name = "hansa-dicom-decode";

// Where open() writes its error.
struct ErrorText {
  char* text;
  std::size_t size;

  // Returns nullptr, for `return error("...")`.
  [[gnu::format(printf, 2, 3)]] std::nullptr_t operator()(const char* format, ...) const {
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return nullptr;
  }
};

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

struct Images {
  Images() = default;
  ~Images() {
    if (map != MAP_FAILED) ::munmap(map, bytes);
  }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  [[nodiscard]] std::size_t pixels() const { return std::size_t{header.size} * header.size; }

  void* map = MAP_FAILED;
  std::size_t bytes = 0;
  Header header{};
  const std::uint32_t* labels = nullptr;
  const unsigned char* first = nullptr;
};

// The decoder in the folder of this library.
std::string decoder_path() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&decoder_path), &info) == 0 || info.dli_fname == nullptr)
    return {};
  const std::string library = info.dli_fname;
  const std::size_t slash = library.rfind('/');
  return (slash == std::string::npos ? std::string("./") : library.substr(0, slash + 1)) + decoder_name;
}

// The decoder gets this process's environment, no descriptor but the result, and no signal that is ignored here. What
// its libraries print is discarded. Returns 0, or an error number.
int start_decoder(const std::string& path, const hansa_data_settings& settings, int result, pid_t& child) {
  ::posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, result, hansa_dicom::result_descriptor);
  ::posix_spawn_file_actions_addclosefrom_np(&files, hansa_dicom::result_descriptor + 1);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const char* arguments[] = {decoder_name, settings.file, settings.options, settings.label, nullptr};
  const int error =
      ::posix_spawn(&child, path.c_str(), &files, &attributes, const_cast<char**>(arguments), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

// The decoder has read untrusted files: nothing of its result is believed.
bool is_possible(const Header& header, std::uint64_t bytes) {
  if (header.examples == 0 || header.examples > hansa_dicom::examples_max || header.size == 0 ||
      header.size > hansa_dicom::size_max || header.classes == 0 ||
      header.classes > hansa_dicom::classes_max || (header.bytes_a_pixel != 1 && header.bytes_a_pixel != 2))
    return false;
  const std::uint64_t image = std::uint64_t{header.size} * header.size * header.bytes_a_pixel;
  if (header.examples > hansa_dicom::pixel_bytes_max / image) return false;
  return bytes == sizeof(Header) + header.examples * (sizeof(std::uint32_t) + image);
}

bool has_valid_labels(const Images& images) {
  for (std::uint64_t i = 0; i < images.header.examples; ++i)
    if (images.labels[i] >= images.header.classes) return false;
  return true;
}

void describe(const Images& images, hansa_data_examples& examples) {
  examples.examples = images.header.examples;
  examples.tensor_count = 2;
  hansa_data_tensor& x = examples.tensors[0];
  std::strcpy(x.name, "x");
  x.type = HANSA_DATA_FLOAT32;
  x.role = HANSA_DATA_INPUT;
  x.rank = 3;
  x.sizes[0] = 1;
  x.sizes[1] = x.sizes[2] = images.header.size;
  hansa_data_tensor& y = examples.tensors[1];
  std::strcpy(y.name, "y");
  y.type = HANSA_DATA_INT64;
  y.role = HANSA_DATA_TARGET;
  y.classes = images.header.classes;
}

// Checks the result and maps it. The seals refuse changes by whoever still has it open.
Images* map_result(int result, int status, const ErrorText& error) {
  auto out = std::make_unique<Images>();
  Header& header = out->header;
  struct stat file {};
  const bool has_header =
      ::fstat(result, &file) == 0 &&
      ::pread(result, &header, sizeof(header), 0) == static_cast<ssize_t>(sizeof(header)) &&
      header.magic == hansa_dicom::magic;
  header.text[sizeof(header.text) - 1] = '\0';
  if (has_header && header.progress == Progress::failed) return error("%s", header.text);
  if (WIFSIGNALED(status) && has_header)
    return error(
        "%s: the decoder was ended by signal %d%s; the file is damaged, or the memory of the device is short",
        header.text, WTERMSIG(status), WTERMSIG(status) == SIGALRM ? " after 5 minutes" : "");
  if (!has_header || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || header.progress != Progress::finished)
    return error("%s failed without a reason (wait status %d)", decoder_name, status);
  out->bytes = static_cast<std::size_t>(file.st_size);
  if (!is_possible(header, out->bytes)) return error("%s wrote an invalid result", decoder_name);
  if (::fcntl(result, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return error("the decoded images cannot be sealed: %s", std::strerror(errno));
  out->map = ::mmap(nullptr, out->bytes, PROT_READ, MAP_PRIVATE, result, 0);
  if (out->map == MAP_FAILED) return error("the decoded images cannot be mapped: %s", std::strerror(errno));
  const auto* bytes = static_cast<const unsigned char*>(out->map);
  out->labels = reinterpret_cast<const std::uint32_t*>(bytes + sizeof(Header));
  out->first = bytes + sizeof(Header) + header.examples * sizeof(std::uint32_t);
  if (!has_valid_labels(*out)) return error("%s wrote an invalid result", decoder_name);
  return out.release();
}

Images* open_images(const hansa_data_settings& settings, hansa_data_examples& examples,
                    const ErrorText& error) {
  const Descriptor result(::memfd_create("hansa-dicom", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (result.get() < 0) return error("memory for the images: %s", std::strerror(errno));
  const std::string decoder = decoder_path();
  pid_t child = 0;
  if (const int number = start_decoder(decoder, settings, result.get(), child); number != 0)
    return error("%s cannot be started: %s; install it in the folder of the plugin", decoder.c_str(),
                 std::strerror(number));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return error("%s: %s", decoder_name, std::strerror(errno));
  Images* out = map_result(result.get(), status, error);
  if (out != nullptr) describe(*out, examples);
  return out;
}

// No exception may reach Hansa.
void* open_plugin(const hansa_data_settings* settings, hansa_data_examples* examples, char* text,
                  std::size_t size) {
  const ErrorText error{text, size};
  try {
    return open_images(*settings, *examples, error);
  } catch (const std::exception& exception) {
    return error("%s", exception.what());
  }
}

template <class Pixel>
void copy_image(const unsigned char* from, std::size_t count, float* to) {
  constexpr float scale = 1.0F / static_cast<float>(static_cast<Pixel>(-1));
  for (std::size_t i = 0; i < count; ++i) {
    Pixel pixel;
    std::memcpy(&pixel, from + i * sizeof(Pixel), sizeof(Pixel));
    to[i] = static_cast<float>(pixel) * scale;
  }
}

void read_plugin(void* self, const std::uint32_t* indices, std::size_t count, void* const* tensors) {
  const Images& images = *static_cast<const Images*>(self);
  const std::size_t pixels = images.pixels();
  auto* inputs = static_cast<float*>(tensors[0]);
  auto* labels = static_cast<std::int64_t*>(tensors[1]);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned char* image = images.first + indices[i] * (pixels * images.header.bytes_a_pixel);
    if (inputs != nullptr && images.header.bytes_a_pixel == 1)
      copy_image<std::uint8_t>(image, pixels, inputs + i * pixels);
    if (inputs != nullptr && images.header.bytes_a_pixel == 2)
      copy_image<std::uint16_t>(image, pixels, inputs + i * pixels);
    if (labels != nullptr) labels[i] = images.labels[indices[i]];
  }
}

void close_plugin(void* self) { delete static_cast<Images*>(self); }

constexpr hansa_data_plugin_2 plugin = {HANSA_DATA_PLUGIN_VERSION_2, "dicom", open_plugin, read_plugin,
                                        close_plugin};

}  // namespace

extern "C" [[gnu::visibility("default")]] const hansa_data_plugin_2* hansa_data_plugin_entry_2() {
  return &plugin;
}
