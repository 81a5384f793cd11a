#include "learning/data/internal/byte_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <zlib.h>

#include "learning/data/internal/text_check.h"

namespace hansa::learning::internal {

void ByteStream::Close::operator()(gzFile_s* file) const { gzclose_r(file); }

Result<ByteStream> ByteStream::open(const std::filesystem::path& path, std::string hint) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  ByteStream stream(path);
  if (!std::filesystem::exists(status))
    return stream.bad("does not exist", std::move(hint), ReasonCode::data_unreadable);
  if (!std::filesystem::is_regular_file(status))
    return stream.bad("is not a file", std::move(hint), ReasonCode::data_unreadable);
  errno = 0;
  stream.file_.reset(gzopen(path.c_str(), "rbe"));
  if (!stream.file_)
    return stream.bad(std::string("cannot be opened (") + std::strerror(errno) + ")",
                      "give the user that runs this program read permission", ReasonCode::data_unreadable);
  gzbuffer(stream.file_.get(), 1U << 18);
  return stream;
}

Result<std::size_t> ByteStream::read_some(std::span<std::uint8_t> out) {
  if (!first_.empty()) {
    const std::size_t n = std::min(out.size(), first_.size());
    std::copy_n(first_.begin(), n, out.begin());
    first_.erase(first_.begin(), first_.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }
  // gzread returns the bytes of an uncompressed file unchanged, so one path serves both.
  const int n =
      gzread(file_.get(), out.data(), static_cast<unsigned>(std::min<std::size_t>(out.size(), 1U << 30)));
  if (n > 0) return static_cast<std::size_t>(n);
  // A truncated gzip stream looks like a short file; only the error state distinguishes them.
  int code = Z_OK;
  const std::string message = gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR) return bad("is a truncated gzip file");
  if (code != Z_OK && code != Z_STREAM_END) return bad("is damaged (" + message + ")");
  return 0;
}

Result<void> ByteStream::require_text() {
  std::vector<std::uint8_t> start(text_check_bytes);
  std::size_t filled = 0;
  while (filled < start.size()) {
    HANSA_TRY(const std::size_t n, read_some(std::span(start).subspan(filled)));
    if (n == 0) break;
    filled += n;
  }
  start.resize(filled);
  first_ = std::move(start);
  if (const auto other = find_other_than_text(first_)) return bad("is " + other->what, other->hint);
  return {};
}

Result<void> ByteStream::read(std::span<std::uint8_t> out, std::string_view part) {
  while (!out.empty()) {
    HANSA_TRY(const std::size_t n, read_some(out));
    if (n == 0) return bad("ends inside its " + std::string(part));
    out = out.subspan(n);
  }
  return {};
}

tl::unexpected<Error> ByteStream::bad(std::string what, std::string hint, ReasonCode reason) const {
  return fail(ErrorCode::data, path_.string(), std::move(what), std::move(hint), {reason, {}});
}

}  // namespace hansa::learning::internal
