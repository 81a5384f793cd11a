// The files of the page (dashboard/), which are part of the program. Thread-safe.
#pragma once
#include <string>
#include <string_view>

namespace hansa::http {

struct Asset {
  std::string_view path;  // from the root: "/index.html", "/src/main.js"
  std::string_view content_type;
  std::string_view bytes;
  std::string etag;  // with its quotes
  std::string gzip;  // the same bytes, compressed; empty: compression saves nothing
};

// "/" is "/index.html". Null: there is no such file.
[[nodiscard]] const Asset* find_asset(std::string_view path);

}  // namespace hansa::http
