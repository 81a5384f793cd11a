#include "server/http/assets.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <zlib.h>

#include "common/digest.h"
#include "server/http/internal/embedded_file.h"

namespace hansa::http {
namespace {

std::string_view content_type_of(std::string_view path) {
  constexpr std::array types = std::to_array<std::pair<std::string_view, std::string_view>>({
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
  });
  for (const auto& [ending, type] : types)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

// Empty: it is not shorter.
std::string compressed(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool is_done = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return is_done && out.size() < bytes.size() ? out : std::string();
}

using Assets = std::map<std::string_view, Asset>;

// Compressed when the first one is asked for, in some milliseconds, so that the build needs no tool of its own.
Assets make_assets() {
  Assets out;
  for (const auto& [path, bytes] : internal::embedded_files())
    out.emplace(path, Asset{path, content_type_of(path), bytes, '"' + sha256(bytes).brief() + '"',
                            compressed(bytes)});
  return out;
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  static const Assets assets = make_assets();
  const auto found = assets.find(path == "/" ? "/index.html" : path);
  return found == assets.end() ? nullptr : &found->second;
}

}  // namespace hansa::http
