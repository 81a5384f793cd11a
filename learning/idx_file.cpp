#include "learning/idx_file.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include <zlib.h>

#include "common/files.h"

namespace hansa::learning {
namespace {

constexpr std::uint8_t unsigned_byte = 0x08;

// An idx file as a stream of bytes; gzread reads plain files as they are, so one path serves both kinds.
class IdxStream {
 public:
  static Result<IdxStream> open(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::is_regular_file(status))
      return fail(
          ErrorCode::data, path.string(),
          std::filesystem::exists(status) ? "is not a file" : "does not exist",
          "name an idx file, plain or .gz; Fashion-MNIST is in Debian's package dataset-fashion-mnist");
    IdxStream stream(path);
    errno = 0;
    stream.file_.reset(gzopen(path.c_str(), "rbe"));
    if (!stream.file_) return stream.bad(std::string("cannot be opened (") + std::strerror(errno) + ")");
    gzbuffer(stream.file_.get(), 1U << 18);
    return stream;
  }

  // Fills all of out, or fails naming the part that is cut off.
  Result<void> read(std::span<std::uint8_t> out, std::string_view part) {
    while (!out.empty()) {
      const int n =
          gzread(file_.get(), out.data(), static_cast<unsigned>(std::min<std::size_t>(out.size(), 1U << 30)));
      // A gzip stream without its end reads like a short file: only the error state tells.
      if (n <= 0) HANSA_TRY_VOID(check_stream());
      if (n <= 0) return bad("ends inside its " + std::string(part));
      out = out.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  // Reads to the end, where a gzip file's checksum is verified.
  Result<void> expect_end() {
    std::uint8_t byte = 0;
    const int n = gzread(file_.get(), &byte, 1);
    HANSA_TRY_VOID(check_stream());
    if (n != 0) return bad("has more bytes than its header says");
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> bad(std::string what,
                                          std::string mend = "fetch or copy the file again") const {
    return fail(ErrorCode::data, path_.string(), std::move(what), std::move(mend));
  }

 private:
  explicit IdxStream(std::filesystem::path path) : path_(std::move(path)) {}

  Result<void> check_stream() {
    int code = Z_OK;
    const std::string message = gzerror(file_.get(), &code);
    if (code == Z_BUF_ERROR) return bad("is a truncated gzip file");
    if (code != Z_OK && code != Z_STREAM_END) return bad("is damaged (" + message + ")");
    return {};
  }

  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::uint64_t product(std::span<const std::uint32_t> dimensions) {
  std::uint64_t out = 1;
  for (const std::uint32_t dimension : dimensions) {
    if (dimension != 0 && out > idx_values_max / dimension) return idx_values_max + 1;
    out *= dimension;
  }
  return out;
}

}  // namespace

std::size_t IdxArray::example_size() const {
  if (dimensions.empty()) return 0;
  return static_cast<std::size_t>(product(std::span(dimensions).subspan(1)));
}

std::span<const std::uint8_t> IdxArray::example(std::size_t index) const {
  assert(index < example_count());
  return std::span(values).subspan(index * example_size(), example_size());
}

Result<IdxArray> read_idx(const std::filesystem::path& path, std::size_t rank, std::uint64_t examples_max) {
  HANSA_TRY(IdxStream stream, IdxStream::open(path));
  std::array<std::uint8_t, 4> word{};
  HANSA_TRY_VOID(stream.read(word, "header"));
  if (word[0] != 0 || word[1] != 0) return stream.bad("is not an idx file", "name an idx file, plain or .gz");
  if (word[2] != unsigned_byte)
    return stream.bad("holds values that are not unsigned bytes", "name an idx file of bytes (type 0x08)");
  if (word[3] != rank)
    return stream.bad(
        "has " + std::to_string(word[3]) + " dimensions where " + std::to_string(rank) + " are needed",
        "images are idx3 files, labels idx1; the two may be swapped");

  IdxArray out;
  for (std::size_t i = 0; i < rank; ++i) {
    HANSA_TRY_VOID(stream.read(word, "header"));
    out.dimensions.push_back(std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                             std::uint32_t{word[2]} << 8 | word[3]);
  }
  if (product(out.dimensions) > idx_values_max)
    return stream.bad("says that it holds more than 4 GiB of values");
  const bool whole = examples_max == 0 || examples_max >= out.dimensions[0];
  if (!whole) out.dimensions[0] = static_cast<std::uint32_t>(examples_max);
  const auto size = static_cast<std::size_t>(product(out.dimensions));
  // Grown as the bytes come, so that a header that lies costs no memory.
  constexpr std::size_t step_min = 16U << 20;
  while (out.values.size() < size) {
    const std::size_t done = out.values.size();
    out.values.resize(std::min(size, done + std::max(step_min, done)));
    HANSA_TRY_VOID(stream.read(std::span(out.values).subspan(done), "values"));
  }
  if (whole) HANSA_TRY_VOID(stream.expect_end());
  return out;
}

Result<IdxPair> read_idx_pair(const IdxPairFiles& files, std::uint64_t examples_max) {
  IdxPair out;
  HANSA_TRY(out.images, read_idx(files.images, 3, examples_max));
  HANSA_TRY(out.labels, read_idx(files.labels, 1, examples_max));
  if (out.images.example_count() != out.labels.example_count())
    return fail(ErrorCode::data, files.labels.string(),
                "has " + std::to_string(out.labels.example_count()) + " labels for " +
                    std::to_string(out.images.example_count()) + " images in " + files.images.string(),
                "name the labels that belong to the images");
  return out;
}

Result<void> write_idx(const std::filesystem::path& path, const IdxArray& array) {
  assert(product(array.dimensions) == array.values.size());
  std::vector<std::byte> bytes;
  bytes.reserve(4 + 4 * array.dimensions.size() + array.values.size());
  for (const std::uint8_t value :
       {std::uint8_t{0}, std::uint8_t{0}, unsigned_byte, static_cast<std::uint8_t>(array.dimensions.size())})
    bytes.push_back(std::byte{value});
  for (const std::uint32_t dimension : array.dimensions)
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(dimension >> shift & 0xff));
  const auto values = std::as_bytes(std::span(array.values));
  bytes.insert(bytes.end(), values.begin(), values.end());
  return write_file_atomically(path, bytes);
}

}  // namespace hansa::learning
